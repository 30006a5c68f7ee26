using System.Diagnostics.CodeAnalysis;
using RaftMq.Records;

namespace RaftMq.Kafka.Wire;

/// <summary>
/// Remembers the short strings of one connection, which are the same few topic, group and client names in every request. Bounded: a new
/// name takes the place of the one that hashed to its slot. Not for several threads.
/// </summary>
public sealed class NameCache
{
    /// <summary>Enough for a client with a few dozen topics; some 20 kB when full of long names.</summary>
    public const int SlotsMax = 64;

    /// <summary>The longest topic name there is; longer strings are not remembered.</summary>
    public const int NameBytesMax = 249;

    private readonly (byte[] Bytes, string Text)?[] slots = new (byte[], string)?[SlotsMax];

    internal bool TryFind(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out string? text)
    {
        if (bytes.Length is > 0 and <= NameBytesMax
            && slots[Slot(bytes)] is { } slot
            && bytes.SequenceEqual(slot.Bytes))
        {
            text = slot.Text;
            return true;
        }

        text = null;
        return false;
    }

    internal void Remember(ReadOnlySpan<byte> bytes, string text)
    {
        if (bytes.Length is > 0 and <= NameBytesMax)
        {
            slots[Slot(bytes)] = (bytes.ToArray(), text);
        }
    }

    private static int Slot(ReadOnlySpan<byte> bytes) => (int)(Crc32C.Compute(bytes) % SlotsMax);
}
