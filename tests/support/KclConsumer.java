import java.io.PrintStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/**
 * A worker of Amazon's client library: {@code APPLICATION STREAM REGION KINESIS_URL DYNAMODB_URL}.
 *
 * <p>Every record it is given is a line, {@code SHARD SEQUENCE SUBSEQUENCE DATA}, the data in base64; what it checkpoints
 * is what it was given. It ends by itself, in order, when its standard input does. An application that has no place in a
 * shard starts at its tip: what it reads of the past it reads because of its lease table.
 */
public final class KclConsumer {
    private static final long FAILOVER_MS = 2_000;

    public static void main(String[] arguments) throws Exception {
        Region region = Region.of(arguments[2]);
        StaticCredentialsProvider nobody = StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test"));
        NettyNioAsyncHttpClient.Builder http = NettyNioAsyncHttpClient.builder().protocol(Protocol.HTTP1_1);
        KinesisAsyncClient kinesis = KinesisAsyncClient.builder()
                .region(region)
                .credentialsProvider(nobody)
                .endpointOverride(URI.create(arguments[3]))
                .httpClientBuilder(http)
                .build();
        DynamoDbAsyncClient dynamo = DynamoDbAsyncClient.builder()
                .region(region)
                .credentialsProvider(nobody)
                .endpointOverride(URI.create(arguments[4]))
                .httpClientBuilder(http)
                .build();
        CloudWatchAsyncClient unused = CloudWatchAsyncClient.builder()
                .region(region)
                .credentialsProvider(nobody)
                .endpointOverride(URI.create(arguments[4]))
                .httpClientBuilder(http)
                .build();
        PrintStream answers = System.out;
        // What the library logs must not come between the lines.
        System.setOut(System.err);
        SingleStreamTracker tip = new SingleStreamTracker(
                arguments[1], InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.LATEST));
        ConfigsBuilder configs = new ConfigsBuilder(
                tip, arguments[0], kinesis, dynamo, unused, "worker-1", () -> new Printer(answers));
        PollingConfig polling = new PollingConfig(arguments[1], kinesis).idleTimeBetweenReadsInMillis(200);
        Scheduler scheduler = new Scheduler(
                configs.checkpointConfig(),
                configs.coordinatorConfig().parentShardPollIntervalMillis(200),
                configs.leaseManagementConfig().failoverTimeMillis(FAILOVER_MS).shardSyncIntervalMillis(1_000),
                configs.lifecycleConfig(),
                configs.metricsConfig().metricsFactory(new NullMetricsFactory()),
                configs.processorConfig(),
                configs.retrievalConfig().retrievalSpecificConfig(polling));
        Thread working = new Thread(scheduler, "scheduler");
        working.setDaemon(true);
        working.start();
        while (System.in.read() >= 0) {}
        scheduler.startGracefulShutdown().get(20, TimeUnit.SECONDS);
        System.exit(0);
    }

    private static final class Printer implements ShardRecordProcessor {
        private final PrintStream answers;
        private String shard;

        Printer(PrintStream answers) {
            this.answers = answers;
        }

        @Override
        public void initialize(InitializationInput input) {
            shard = input.shardId();
        }

        @Override
        public void processRecords(ProcessRecordsInput input) {
            for (KinesisClientRecord record : input.records()) {
                answers.println(String.join(
                        " ",
                        shard,
                        record.sequenceNumber(),
                        Long.toString(record.subSequenceNumber()),
                        encoded(record.data())));
            }
            answers.flush();
            checkpoint(() -> input.checkpointer().checkpoint());
        }

        @Override
        public void leaseLost(LeaseLostInput input) {}

        @Override
        public void shardEnded(ShardEndedInput input) {
            checkpoint(() -> input.checkpointer().checkpoint());
        }

        @Override
        public void shutdownRequested(ShutdownRequestedInput input) {
            checkpoint(() -> input.checkpointer().checkpoint());
        }

        private static void checkpoint(Checkpoint checkpoint) {
            try {
                checkpoint.make();
            } catch (Exception error) {
                throw new IllegalStateException(error);
            }
        }

        private static String encoded(ByteBuffer data) {
            byte[] bytes = new byte[data.remaining()];
            data.get(bytes);
            return Base64.getEncoder().encodeToString(bytes);
        }
    }

    private interface Checkpoint {
        void make() throws Exception;
    }
}
