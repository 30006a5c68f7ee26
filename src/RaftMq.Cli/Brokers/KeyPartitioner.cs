using System.Buffers.Binary;

namespace RaftMq.Cli.Brokers;

/// <summary>
/// Where a record with a key belongs: the partition that Kafka's Java clients choose, and librdkafka with <c>partitioner=murmur2_random</c>,
/// so that a key's records lie together whoever writes them. It is MurmurHash2 of 32 bits with Kafka's seed, without its sign, by the count.
/// </summary>
internal static class KeyPartitioner
{
    private const uint Seed = 0x9747_b28c;
    private const uint Multiplier = 0x5bd1_e995;
    private const int Rotation = 24;

    public static int PartitionOf(ReadOnlySpan<byte> key, int partitions) => (Murmur2(key) & int.MaxValue) % partitions;

    internal static int Murmur2(ReadOnlySpan<byte> bytes)
    {
        uint hash = Seed ^ (uint)bytes.Length;
        for (; bytes.Length >= sizeof(uint); bytes = bytes[sizeof(uint)..])
        {
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(bytes) * Multiplier;
            hash = (hash * Multiplier) ^ ((word ^ (word >> Rotation)) * Multiplier);
        }

        if (bytes.Length > 0)
        {
            uint rest = 0;
            for (int i = bytes.Length - 1; i >= 0; i--)
            {
                rest = (rest << 8) | bytes[i];
            }

            hash = (hash ^ rest) * Multiplier;
        }

        hash = (hash ^ (hash >> 13)) * Multiplier;
        return (int)(hash ^ (hash >> 15));
    }
}
