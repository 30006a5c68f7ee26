using RaftMq.Fuzz.Engine;
using RaftMq.Kafka.Wire;

namespace RaftMq.Fuzz.Kafka;

/// <summary>One message type, handled without naming it.</summary>
internal abstract class AnyMessage
{
    private static readonly Dictionary<(ApiKey, bool IsRequest), AnyMessage> ByKey = Formats.MessageSamples.Types
        .Select(type => (AnyMessage)Activator.CreateInstance(typeof(Of<>).MakeGenericType(type))!)
        .Where(message => message.Schema.Key is not null)
        .ToDictionary(message => (message.Schema.Key!.Value, message.Schema.Name.EndsWith("Request", StringComparison.Ordinal)));

    public static IEnumerable<AnyMessage> Requests => ByKey.Where(pair => pair.Key.IsRequest).Select(pair => pair.Value).OrderBy(m => m.Schema.Name, StringComparer.Ordinal);

    public static IEnumerable<AnyMessage> Responses => ByKey.Where(pair => !pair.Key.IsRequest).Select(pair => pair.Value).OrderBy(m => m.Schema.Name, StringComparer.Ordinal);

    public abstract MessageSchema Schema { get; }

    public abstract Type Type { get; }

    public static AnyMessage? Request(ApiKey key) => ByKey.GetValueOrDefault((key, true));

    public static AnyMessage? Response(ApiKey key) => ByKey.GetValueOrDefault((key, false));

    public static byte[] Write(IKafkaMessage message, int version)
    {
        using KafkaWriter writer = new();
        message.Write(writer, version);
        return writer.ToArray();
    }

    /// <summary>Null, with a fault, when it can't be read.</summary>
    public abstract IKafkaMessage? Read(ref KafkaReader reader, int version);

    /// <summary>What was read can be written, and then read and written again the same way.</summary>
    public void Check(IKafkaMessage message, int version)
    {
        byte[] written = Write(message, version);
        KafkaReader reader = new(written);
        IKafkaMessage? again = Read(ref reader, version);
        Oracle.Holds(again is not null && reader.Remaining == 0, $"{Schema.Name} that was read can be written and read");
        Oracle.Same(written, Write(again!, version), $"{Schema.Name} is written the same way each time");
    }

    private sealed class Of<T> : AnyMessage
        where T : class, IKafkaMessage<T>
    {
        public override MessageSchema Schema => T.Schema;

        public override Type Type => typeof(T);

        public override IKafkaMessage? Read(ref KafkaReader reader, int version)
        {
            bool read = T.TryRead(ref reader, version, out T? message);
            Oracle.Holds(read != reader.Failed && read == reader.FaultText is null, "a refusal says why");
            return read ? message : null;
        }
    }
}
