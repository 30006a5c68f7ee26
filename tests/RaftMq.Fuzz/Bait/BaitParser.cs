namespace RaftMq.Fuzz.Bait;

/// <summary>A parser with one mistake of each kind, behind questions that chance alone would not answer: the fuzzer has to find them all.</summary>
internal static class BaitParser
{
    private const int Magic1 = 'B';
    private const int Magic2 = 0xA7;

    /// <summary>Null: refused.</summary>
    public static BaitMessage? Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 8 || bytes[0] != Magic1)
        {
            return null;
        }

        if (bytes[1] != Magic2)
        {
            return null;
        }

        int length = BitConverter.ToInt32(bytes[4..]);
        switch (bytes[2])
        {
            case 11:
                // The first mistake: the length is not held against the bytes.
                return length >= 0 && length < 100 ? new BaitMessage(11, bytes.Slice(8, length).ToArray()) : null;
            case 22:
                // The second: room is made before the bytes are there.
                return length < 0 || length > 1 << 22 || new byte[length].Length > bytes.Length ? null : new BaitMessage(22, []);
            case 33:
                // The third: a step of zero never arrives.
                return length == 0 && bytes[3] == 44 ? Loop() : null;
            case 55:
                // The fourth: what is read is not what was written.
                return new BaitMessage(55, [bytes[3] == 0x80 ? (byte)0 : bytes[3]]);
            default:
                return null;
        }
    }

    private static BaitMessage? Loop()
    {
        long until = Environment.TickCount64 + BaitFormat.TimeMaxMs + 5;
        while (Environment.TickCount64 < until)
        {
            Thread.SpinWait(10);
        }

        return null;
    }
}

internal sealed record BaitMessage(int Kind, byte[] Body);
