using System.Buffers.Binary;

namespace RaftMq.Broker.Tests.Support;

/// <summary>What damage and malice make of good bytes, and how a reader of any bytes has to bear it.</summary>
internal static class Hostile
{
    /// <summary>What reading may allocate whatever it reads: lists, records, the reader's own pieces.</summary>
    private const int AllocatedBytesFree = 8 << 10;

    /// <summary>
    /// What one byte may make a reader allocate: an empty list costs four bytes in a message and some forty in memory, twice with its builder.
    /// </summary>
    private const int AllocatedBytesEach = 64;

    private static readonly int[] Lies =
        [-1, int.MinValue, int.MaxValue, int.MaxValue - 7, 1 << 28, 1 << 20, 65_536, 256, 33, 3, 2, 1, 0];

    /// <summary>The bytes up to every length but the whole.</summary>
    public static IEnumerable<(byte[] Bytes, string How)> Cut(byte[] bytes)
    {
        for (int length = 0; length < bytes.Length; length++)
        {
            yield return (bytes[..length], $"cut at {length}");
        }
    }

    /// <summary>The bytes with each of their bits the other way round.</summary>
    public static IEnumerable<(byte[] Bytes, string How)> Flip(byte[] bytes)
    {
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            byte[] flipped = [.. bytes];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            yield return (flipped, $"bit {bit % 8} of byte {bit / 8} flipped");
        }
    }

    /// <summary>The bytes with lengths and counts that lie, wherever one may stand.</summary>
    public static IEnumerable<(byte[] Bytes, string How)> Lie(byte[] bytes)
    {
        for (int at = 0; at <= bytes.Length - sizeof(int); at++)
        {
            foreach (int lie in Lies)
            {
                byte[] lying = [.. bytes];
                BinaryPrimitives.WriteInt32LittleEndian(lying.AsSpan(at), lie);
                yield return (lying, $"{lie} at byte {at}");
            }
        }
    }

    public static IEnumerable<(byte[] Bytes, string How)> All(byte[] bytes) => Cut(bytes).Concat(Flip(bytes)).Concat(Lie(bytes));

    /// <summary>
    /// Reads, and fails when that throws or allocates what so few bytes can't hold. Read each kind of good bytes once before, so that
    /// what is allocated once and for all is not counted here.
    /// </summary>
    public static T Read<T>(Func<T> read, int length, string what)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        T result;
        try
        {
            result = read();
        }
        catch (Exception thrown)
        {
            throw new InvalidOperationException($"{what}: {thrown.GetType().Name}: {thrown.Message}", thrown);
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        long allowed = AllocatedBytesFree + ((long)length * AllocatedBytesEach);
        Assert.True(allocated <= allowed, $"{what}: {allocated} bytes were allocated for {length}, {allowed} are allowed.");
        return result;
    }
}
