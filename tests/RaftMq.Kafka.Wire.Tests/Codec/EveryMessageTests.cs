using System.Buffers.Binary;
using RaftMq.Testing;

namespace RaftMq.Kafka.Wire.Tests.Codec;

/// <summary>What must hold for every message in every version.</summary>
public sealed class EveryMessageTests
{
    private static readonly int rounds = LongForm.Rounds(20, 3_000);

    public static IEnumerable<TheoryDataRow<string>> Names => AnyMessage.Names;

    [Fact]
    public void Each_request_has_a_response_and_each_is_a_type()
    {
        Assert.Equal((2 * ServedVersions.All.Count) + 2, AnyMessage.All.Count);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Random_content_comes_back_in_every_version(string name)
    {
        AnyMessage type = AnyMessage.Named(name);
        Random random = new(name.Length);
        for (int version = type.Schema.VersionMin; version <= type.Schema.VersionMax; version++)
        {
            for (int round = 0; round < rounds; round++)
            {
                byte[] written = AnyMessage.Write(type.Random(random), version);
                (IKafkaMessage? read, string? fault, int remaining) = type.Read(written, version);
                Assert.True(read is not null, fault);
                Assert.Equal(0, remaining);
                Assert.Equal(written, AnyMessage.Write(read, version));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Cut_at_any_length_it_is_refused_with_the_fields_name(string name)
    {
        AnyMessage type = AnyMessage.Named(name);
        Random random = new(7);
        for (int version = type.Schema.VersionMin; version <= type.Schema.VersionMax; version++)
        {
            byte[] written = AnyMessage.Write(type.Random(random), version);
            for (int length = 0; length < written.Length; length++)
            {
                (IKafkaMessage? read, string? fault, _) = type.Read(written.AsMemory(0, length), version);
                Assert.Null(read);
                Assert.StartsWith(name, fault, StringComparison.Ordinal);
            }
        }
    }

    /// <summary>Every four bytes become a huge number, zero and -1; every byte is flipped. Nothing may throw or allocate out of proportion.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Lying_bytes_neither_throw_nor_allocate_out_of_proportion(string name)
    {
        AnyMessage type = AnyMessage.Named(name);
        Random random = new(11);
        for (int version = type.Schema.VersionMin; version <= type.Schema.VersionMax; version++)
        {
            byte[] written = AnyMessage.Write(type.Random(random), version);
            long before = GC.GetAllocatedBytesForCurrentThread();
            long reads = 0;
            for (int at = 0; at < written.Length; at++)
            {
                byte kept = written[at];
                foreach (int flip in new[] { 0x01, 0x80, 0xFF })
                {
                    written[at] = (byte)(kept ^ flip);
                    type.Read(written, version);
                    reads++;
                }

                written[at] = kept;
                if (at + 4 <= written.Length)
                {
                    uint four = BinaryPrimitives.ReadUInt32BigEndian(written.AsSpan(at));
                    foreach (uint lie in new[] { 0x7FFFFFFFu, 0xFFFFFF7Fu, 0xFFFFFFFFu, 0x80000000u, 0u, 0x00FFFFFFu })
                    {
                        BinaryPrimitives.WriteUInt32BigEndian(written.AsSpan(at), lie);
                        type.Read(written, version);
                        reads++;
                    }

                    BinaryPrimitives.WriteUInt32BigEndian(written.AsSpan(at), four);
                }
            }

            long perRead = (GC.GetAllocatedBytesForCurrentThread() - before) / Math.Max(reads, 1);
            Assert.True(perRead < 4_000 + (40L * written.Length), $"version {version}: {perRead} bytes for {written.Length}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_version_outside_its_schema_is_refused(string name)
    {
        AnyMessage type = AnyMessage.Named(name);
        IKafkaMessage message = type.Random(new Random(3));
        foreach (int version in new[] { type.Schema.VersionMin - 1, type.Schema.VersionMax + 1 })
        {
            Assert.Null(type.Read(new byte[1000], version).Message);
            Assert.Throws<ArgumentOutOfRangeException>(() => AnyMessage.Write(message, version));
        }
    }
}
