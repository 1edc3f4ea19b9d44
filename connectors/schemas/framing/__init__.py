"""The bytes by which serializers say which schema a payload has."""
