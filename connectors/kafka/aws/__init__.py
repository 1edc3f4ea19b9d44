"""What Amazon MSK needs of AWS beside Kafka itself: who we are, where the brokers are, and what the password is."""
