using System.Text;

namespace RaftMq.Records.Tests;

public sealed class Crc32CTests
{
    /// <summary>RFC 3720 B.4 and the usual check value.</summary>
    [Fact]
    public void Known_values_of_the_literature()
    {
        Assert.Equal(0xE3069283u, Crc32C.Compute(Encoding.ASCII.GetBytes("123456789")));
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Compute(Enumerable.Repeat((byte)0xFF, 32).ToArray()));
        Assert.Equal(0x46DD794Eu, Crc32C.Compute(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray()));
        Assert.Equal(0u, Crc32C.Compute([]));
    }

    /// <summary>The lanes change at 384 and 3,072 bytes: all lengths around them, and odd starts, against the bit by bit definition.</summary>
    [Fact]
    public void Every_length_equals_the_definition()
    {
        byte[] bytes = new byte[7000];
        new Random(17).NextBytes(bytes);
        uint running = ~0u;
        for (int length = 0; length < bytes.Length; length++)
        {
            if (length < 800 || length % 97 == 0 || length is > 3060 and < 3090)
            {
                Assert.Equal(~running, Crc32C.Compute(bytes.AsSpan(0, length)));
            }

            running = BitByBit(running, bytes[length]);
        }

        Assert.Equal(Crc32C.Compute(bytes), ~Crc32C.Append(Crc32C.Append(~0u, bytes.AsSpan(0, 3333)), bytes.AsSpan(3333)));
    }

    private static uint BitByBit(uint running, byte next)
    {
        running ^= next;
        for (int bit = 0; bit < 8; bit++)
        {
            running = (running & 1) != 0 ? (running >> 1) ^ 0x82F63B78u : running >> 1;
        }

        return running;
    }
}
