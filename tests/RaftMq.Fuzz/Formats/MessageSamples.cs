using System.Reflection;
using RaftMq.Fuzz.Mutation;
using RaftMq.Kafka.Wire;

namespace RaftMq.Fuzz.Formats;

/// <summary>Kafka messages with something in every field.</summary>
internal static class MessageSamples
{
    private static readonly string[] Texts = ["", "orders", "fresh", "group", "größe", "consumer", "range", "retention.ms", "5", "client"];

    /// <summary>All message types of the codec, by name.</summary>
    public static IReadOnlyList<Type> Types { get; } =
    [
        .. typeof(KafkaReader).Assembly.GetTypes()
            .Where(type => type.IsClass && typeof(IKafkaMessage).IsAssignableFrom(type))
            .OrderBy(type => type.Name, StringComparer.Ordinal),
    ];

    public static object Filled(Type type, FuzzRandom random)
    {
        object target = Activator.CreateInstance(type)!;
        NullabilityInfoContext nullability = new();
        foreach (PropertyInfo property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.CanWrite)
            {
                bool mayBeNull = nullability.Create(property).WriteState == NullabilityState.Nullable;
                property.SetValue(target, mayBeNull && random.OneIn(5) ? null : Value(property.PropertyType, random));
            }
        }

        return target;
    }

    private static object Value(Type type, FuzzRandom random) => type switch
    {
        _ when type == typeof(bool) => random.OneIn(2),
        _ when type == typeof(sbyte) => (sbyte)random.Below(3),
        _ when type == typeof(short) => (short)(random.Below(4) - 1),
        _ when type == typeof(int) => random.OneIn(3) ? 6_000 + random.Below(24_000) : random.Below(4) - 1,
        _ when type == typeof(long) => random.OneIn(2) ? 1_700_000_000_000 : random.Below(4) - 2L,
        _ when type == typeof(Guid) => random.OneIn(2) ? Guid.Empty : new Guid(random.Below(9), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
        _ when type == typeof(string) => Texts[random.Below(Texts.Length)],
        _ when type == typeof(byte[]) => new byte[random.Below(9)],
        _ when type == typeof(RecordBytes) => new RecordBytes(Samples.Batch(1 + random.Below(3))),
        _ when type.IsEnum => Enum.ToObject(type, (short)random.Below(4)),
        _ when type.IsArray => Array(type.GetElementType()!, random),
        _ => Filled(type, random),
    };

    private static Array Array(Type element, FuzzRandom random)
    {
        Array array = System.Array.CreateInstance(element, random.OneIn(5) ? 0 : 1 + random.Below(2));
        for (int i = 0; i < array.Length; i++)
        {
            array.SetValue(Value(element, random), i);
        }

        return array;
    }
}
