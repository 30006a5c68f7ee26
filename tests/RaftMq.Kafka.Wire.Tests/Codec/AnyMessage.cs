using System.Reflection;

namespace RaftMq.Kafka.Wire.Tests.Codec;

/// <summary>One message type, handled without naming it.</summary>
public abstract class AnyMessage
{
    public abstract MessageSchema Schema { get; }

    /// <summary>All message types of the codec, ordered by name.</summary>
    public static IReadOnlyList<AnyMessage> All { get; } =
    [
        .. typeof(KafkaReader).Assembly.GetTypes()
            .Where(t => t.IsClass && typeof(IKafkaMessage).IsAssignableFrom(t))
            .OrderBy(t => t.Name, StringComparer.Ordinal)
            .Select(t => (AnyMessage)Activator.CreateInstance(typeof(Of<>).MakeGenericType(t))!),
    ];

    public static IEnumerable<TheoryDataRow<string>> Names => All.Select(m => new TheoryDataRow<string>(m.Schema.Name));

    public static AnyMessage Named(string name) => All.Single(m => m.Schema.Name == name);

    public abstract IKafkaMessage Random(Random random);

    /// <returns>The message, or null with the reason.</returns>
    public abstract (IKafkaMessage? Message, string? Fault, int Remaining) Read(ReadOnlyMemory<byte> bytes, int version);

    public static byte[] Write(IKafkaMessage message, int version)
    {
        using KafkaWriter writer = new();
        message.Write(writer, version);
        byte[] bytes = writer.ToArray();
        Assert.Equal(writer.Length, bytes.Length);
        return bytes;
    }

    private static object? RandomValue(Type type, Random random, bool nullable)
    {
        if (nullable && random.Next(3) == 0)
        {
            return type == typeof(RecordBytes) ? RecordBytes.Null : null;
        }

        return type switch
        {
            _ when type == typeof(bool) => random.Next(2) == 0,
            _ when type == typeof(sbyte) => (sbyte)random.Next(sbyte.MinValue, sbyte.MaxValue + 1),
            _ when type == typeof(short) => (short)random.Next(short.MinValue, short.MaxValue + 1),
            _ when type == typeof(int) => random.Next(4) == 0 ? random.Next(-2, 3) : (int)random.NextInt64(int.MinValue, int.MaxValue),
            _ when type == typeof(long) => random.NextInt64(long.MinValue, long.MaxValue),
            _ when type == typeof(Guid) => new Guid(RandomBytes(random, 16)),
            _ when type == typeof(string) => RandomText(random),
            _ when type == typeof(byte[]) => RandomBytes(random, random.Next(200)),
            _ when type == typeof(RecordBytes) => RandomRecords(random),
            _ when type == typeof(KafkaError) => (KafkaError)random.Next(-1, 90),
            _ when type == typeof(ApiKey) => (ApiKey)random.Next(0, 90),
            _ when type.IsArray => RandomArray(type.GetElementType()!, random),
            _ => Filled(Activator.CreateInstance(type)!, random),
        };
    }

    private static object Filled(object target, Random random)
    {
        NullabilityInfoContext nullability = new();
        foreach (PropertyInfo property in target.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.CanWrite)
            {
                bool nullable = nullability.Create(property).WriteState == NullabilityState.Nullable;
                property.SetValue(target, RandomValue(property.PropertyType, random, nullable));
            }
        }

        return target;
    }

    private static Array RandomArray(Type element, Random random)
    {
        Array array = Array.CreateInstance(element, random.Next(4) == 0 ? 0 : random.Next(1, 4));
        for (int i = 0; i < array.Length; i++)
        {
            array.SetValue(RandomValue(element, random, nullable: false), i);
        }

        return array;
    }

    private static RecordBytes RandomRecords(Random random) => random.Next(2) == 0
        ? new RecordBytes(RandomBytes(random, random.Next(300)))
        : new RecordBytes([RandomBytes(random, 10), RandomBytes(random, random.Next(50)), RandomBytes(random, 7)]);

    private static string RandomText(Random random) => random.Next(5) switch
    {
        0 => string.Empty,
        1 => "größe-ß-€-\U0001F600",
        2 => new string('x', random.Next(120, 140)),
        _ => $"name-{random.Next()}",
    };

    private static byte[] RandomBytes(Random random, int length)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private sealed class Of<T> : AnyMessage
        where T : class, IKafkaMessage<T>, new()
    {
        public override MessageSchema Schema => T.Schema;

        public override IKafkaMessage Random(Random random) => (T)Filled(new T(), random);

        public override (IKafkaMessage? Message, string? Fault, int Remaining) Read(ReadOnlyMemory<byte> bytes, int version)
        {
            KafkaReader reader = new(bytes);
            bool read = T.TryRead(ref reader, version, out T? message);
            return (read ? message : null, reader.FaultText, reader.Remaining);
        }
    }
}
