using System.Text;
using RaftMq.Raft;

namespace RaftMq.Storage.Tests;

public sealed class Crc32CTests
{
    [Fact]
    public void The_check_value_of_the_catalogue_comes_out() => Assert.Equal(0xE3069283u, Crc32C.Compute(Encoding.ASCII.GetBytes("123456789")));

    [Fact]
    public void Every_length_and_start_agrees_with_the_bitwise_definition()
    {
        RandomSource random = new(5);
        byte[] bytes = new byte[20_000];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)random.NextUInt64();
        }

        for (int times = 0; times < 300; times++)
        {
            int start = random.Next(100);
            int length = times < 100 ? times : random.Next(bytes.Length - start + 1);
            ReadOnlySpan<byte> span = bytes.AsSpan(start, length);
            Assert.Equal(Naive(span), Crc32C.Compute(span));
            int cut = length == 0 ? 0 : random.Next(length);
            Assert.Equal(Naive(span), ~Crc32C.Append(Crc32C.Append(~0u, span[..cut]), span[cut..]));
        }
    }

    private static uint Naive(ReadOnlySpan<byte> bytes)
    {
        uint crc = ~0u;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
            }
        }

        return ~crc;
    }
}
