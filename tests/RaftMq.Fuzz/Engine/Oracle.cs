namespace RaftMq.Fuzz.Engine;

/// <summary>Says that what was read is not what it must be.</summary>
internal static class Oracle
{
    public static void Holds(bool condition, string what)
    {
        if (!condition)
        {
            throw new OracleException(what);
        }
    }

    public static void Same(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, string what)
    {
        if (!expected.SequenceEqual(actual))
        {
            int at = expected.CommonPrefixLength(actual);
            throw new OracleException($"{what}: {expected.Length} and {actual.Length} bytes, different from {at} on");
        }
    }
}

internal sealed class OracleException(string message) : Exception(message);
