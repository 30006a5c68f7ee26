using System.Text;
using RaftMq.Cli.Brokers;

namespace RaftMq.Cli.Tests.Brokers;

public sealed class KeyPartitionerTests
{
    /// <summary>The values that Kafka's own tests hold its Java clients to; all lengths of the last, unfinished word are among them.</summary>
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [InlineData("abc", 479470107)]
    public void Hash_is_that_of_kafkas_clients(string key, int hash) => Assert.Equal(hash, KeyPartitioner.Murmur2(Encoding.UTF8.GetBytes(key)));

    [Theory]
    [InlineData("foobar", 1, 0)]
    [InlineData("foobar", 7, (-790332482 & 0x7fffffff) % 7)]
    [InlineData("abc", 1000, 107)]
    public void Partition_is_the_hash_without_its_sign_by_the_count(string key, int partitions, int expected) =>
        Assert.Equal(expected, KeyPartitioner.PartitionOf(Encoding.UTF8.GetBytes(key), partitions));

    [Fact]
    public void Every_key_has_a_partition()
    {
        Assert.Equal(0, KeyPartitioner.PartitionOf([], 1));
        for (int length = 0; length < 64; length++)
        {
            Assert.InRange(KeyPartitioner.PartitionOf(new byte[length], 5), 0, 4);
        }
    }
}
