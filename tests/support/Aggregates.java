import com.google.protobuf.ByteString;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;
import software.amazon.kinesis.retrieval.AggregatorUtil;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.kpl.Messages.AggregatedRecord;
import software.amazon.kinesis.retrieval.kpl.Messages.Record;
import software.amazon.kinesis.retrieval.kpl.Messages.Tag;

/**
 * Amazon's client library behind standard input and output. Every line is a request, every answer one line; all words
 * but the first are base64.
 *
 * <p>{@code unpack KEY DATA}: the user records of a Kinesis record as KCL hands them to an application that reads a
 * shard of no other hash than that of KEY: {@code KEY DATA} of each; nothing where it drops them.
 *
 * <p>{@code pack KEY DATA KEY DATA …}: an aggregate of these records, made with the library's own message classes, each
 * with a tag and every second one with an explicit hash key.
 */
public final class Aggregates {
    private static final AggregatorUtil KCL = new AggregatorUtil();

    public static void main(String[] arguments) throws Exception {
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            String[] words = line.split(" ", -1);
            System.out.println(words[0].equals("unpack") ? unpacked(words) : packed(words));
        }
    }

    private static String unpacked(String[] words) throws Exception {
        byte[] key = decoded(words[1]);
        BigInteger hash = new BigInteger(1, MessageDigest.getInstance("MD5").digest(key));
        KinesisClientRecord record = KinesisClientRecord.builder()
                .partitionKey(new String(key, StandardCharsets.UTF_8))
                .data(ByteBuffer.wrap(decoded(words[2])))
                .sequenceNumber("1")
                .build();
        StringBuilder answer = new StringBuilder();
        for (KinesisClientRecord each : KCL.deaggregate(List.of(record), hash, hash)) {
            byte[] data = new byte[each.data().remaining()];
            each.data().get(data);
            answer.append(answer.length() == 0 ? "" : " ")
                    .append(encoded(each.partitionKey().getBytes(StandardCharsets.UTF_8)))
                    .append(' ')
                    .append(encoded(data));
        }
        return answer.toString();
    }

    private static String packed(String[] words) throws Exception {
        AggregatedRecord.Builder message = AggregatedRecord.newBuilder();
        for (int word = 1; word < words.length; word += 2) {
            int index = word / 2;
            message.addPartitionKeyTable(new String(decoded(words[word]), StandardCharsets.UTF_8));
            Record.Builder record = Record.newBuilder()
                    .setPartitionKeyIndex(index)
                    .setData(ByteString.copyFrom(decoded(words[word + 1])))
                    .addTags(Tag.newBuilder().setKey("someone").setValue("else's"));
            if (index % 2 == 1) {
                record.setExplicitHashKeyIndex(message.getExplicitHashKeyTableCount());
                message.addExplicitHashKeyTable(Integer.toString(index));
            }
            message.addRecords(record);
        }
        byte[] body = message.build().toByteArray();
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        data.write(AggregatorUtil.AGGREGATED_RECORD_MAGIC);
        data.write(body);
        data.write(MessageDigest.getInstance("MD5").digest(body));
        return encoded(data.toByteArray());
    }

    private static byte[] decoded(String word) {
        return Base64.getDecoder().decode(word);
    }

    private static String encoded(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
