import com.amazonaws.services.schemaregistry.deserializers.GlueSchemaRegistryKafkaDeserializer;
import com.amazonaws.services.schemaregistry.serializers.GlueSchemaRegistryKafkaSerializer;
import com.amazonaws.services.schemaregistry.serializers.json.JsonDataWithSchema;
import com.amazonaws.services.schemaregistry.utils.AWSSchemaRegistryConstants;
import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import software.amazon.awssdk.services.glue.model.DataFormat;

/**
 * AWS's own serializers and deserializers of Glue behind standard input and output. Every line is a request, every
 * answer one line; words are separated by blanks, and all but the first three of a request are base64.
 *
 * <p>{@code avro TOPIC zlib SCHEMA JSON}, {@code json TOPIC none SCHEMA JSON} and {@code protobuf TOPIC none FILES NAME
 * BODY}: the object, in a frame. FILES is a FileDescriptorSet, the message's own file last.
 *
 * <p>{@code read TOPIC - PAYLOAD}: the object in it: its JSON; of Protobuf the message's name, a blank and its bytes in
 * base64.
 */
public final class GlueSerde {
    private static String endpoint;
    private static String registry;
    private static String region;

    public static void main(String[] arguments) throws Exception {
        endpoint = arguments[0];
        registry = arguments[1];
        region = arguments[2];
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            String[] words = line.split(" ", -1);
            byte[][] given = new byte[words.length][];
            for (int index = 3; index < words.length; index++) {
                given[index] = Base64.getDecoder().decode(words[index]);
            }
            System.out.println(words[0].equals("read") ? read(words[1], given[3]) : written(words, given));
        }
    }

    private static String written(String[] words, byte[][] given) throws Exception {
        Map<String, Object> settings = settings();
        settings.put(AWSSchemaRegistryConstants.DATA_FORMAT, DataFormat.valueOf(words[0].toUpperCase()).name());
        settings.put(AWSSchemaRegistryConstants.COMPRESSION_TYPE, words[2].toUpperCase());
        settings.put(AWSSchemaRegistryConstants.SCHEMA_AUTO_REGISTRATION_SETTING, true);
        GlueSchemaRegistryKafkaSerializer serializer = new GlueSchemaRegistryKafkaSerializer(settings);
        return Base64.getEncoder().encodeToString(serializer.serialize(words[1], object(words[0], given)));
    }

    private static Object object(String format, byte[][] given) throws Exception {
        switch (format) {
            case "avro":
                Schema schema = new Schema.Parser().parse(text(given[3]));
                return new GenericDatumReader<GenericRecord>(schema)
                    .read(null, DecoderFactory.get().jsonDecoder(schema, text(given[4])));
            case "json":
                return JsonDataWithSchema.builder(text(given[3]), text(given[4])).build();
            default:
                return DynamicMessage.parseFrom(descriptor(given[3], text(given[4])), given[5]);
        }
    }

    private static Descriptor descriptor(byte[] files, String name) throws Exception {
        Map<String, FileDescriptor> built = new LinkedHashMap<>();
        FileDescriptor last = null;
        for (FileDescriptorProto file : FileDescriptorSet.parseFrom(files).getFileList()) {
            FileDescriptor[] needed = file.getDependencyList().stream().map(built::get).toArray(FileDescriptor[]::new);
            last = FileDescriptor.buildFrom(file, needed);
            built.put(file.getName(), last);
        }
        Descriptor found = null;
        for (String part : name.split("\\.")) {
            found = found == null ? last.findMessageTypeByName(part) : found.findNestedTypeByName(part);
        }
        return found;
    }

    private static String read(String topic, byte[] payload) {
        Object object = new GlueSchemaRegistryKafkaDeserializer(settings()).deserialize(topic, payload);
        if (object instanceof Message) {
            ByteString body = ((Message) object).toByteString();
            String name = ((Message) object).getDescriptorForType().getFullName();
            return name + " " + Base64.getEncoder().encodeToString(body.toByteArray());
        }
        String json = object instanceof JsonDataWithSchema ? ((JsonDataWithSchema) object).getPayload() : "" + object;
        return json.replace("\n", " ");
    }

    private static Map<String, Object> settings() {
        Map<String, Object> settings = new HashMap<>();
        settings.put(AWSSchemaRegistryConstants.AWS_ENDPOINT, endpoint);
        settings.put(AWSSchemaRegistryConstants.AWS_REGION, region);
        settings.put(AWSSchemaRegistryConstants.REGISTRY_NAME, registry);
        settings.put(AWSSchemaRegistryConstants.AVRO_RECORD_TYPE, "GENERIC_RECORD");
        settings.put(AWSSchemaRegistryConstants.PROTOBUF_MESSAGE_TYPE, "DYNAMIC_MESSAGE");
        return settings;
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
