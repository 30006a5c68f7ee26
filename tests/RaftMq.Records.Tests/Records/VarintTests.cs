namespace RaftMq.Records.Tests.Records;

public sealed class VarintTests
{
    [Theory]
    [InlineData(0, "00")]
    [InlineData(-1, "01")]
    [InlineData(1, "02")]
    [InlineData(63, "7E")]
    [InlineData(-64, "7F")]
    [InlineData(64, "8001")]
    [InlineData(int.MaxValue, "FEFFFFFF0F")]
    [InlineData(int.MinValue, "FFFFFFFF0F")]
    public void Zigzag_bytes_are_those_of_the_protocol(int value, string hex)
    {
        byte[] bytes = new byte[Varint.Int32BytesMax];
        int written = Varint.WriteInt32(bytes, value);
        Assert.Equal(hex, Convert.ToHexString(bytes.AsSpan(0, written)));
        Assert.Equal(written, Varint.SizeOfInt32(value));
        int at = 0;
        Assert.True(Varint.TryReadInt32(bytes.AsSpan(0, written), ref at, out int read));
        Assert.Equal(value, read);
        Assert.Equal(written, at);
    }

    [Fact]
    public void Round_trip_at_every_power_of_two()
    {
        byte[] bytes = new byte[Varint.Int64BytesMax];
        for (int shift = 0; shift < 64; shift++)
        {
            foreach (long value in new[] { 1L << shift, (1L << shift) - 1, -(1L << shift), ~(1L << shift) })
            {
                int written = Varint.WriteInt64(bytes, value);
                Assert.Equal(written, Varint.SizeOfInt64(value));
                int at = 0;
                Assert.True(Varint.TryReadInt64(bytes.AsSpan(0, written), ref at, out long read));
                Assert.Equal(value, read);
                for (int cut = 0; cut < written; cut++)
                {
                    at = 0;
                    Assert.False(Varint.TryReadInt64(bytes.AsSpan(0, cut), ref at, out _));
                }
            }
        }
    }

    [Theory]
    [InlineData("FFFFFFFF1F")]
    [InlineData("FFFFFFFFFF01")]
    [InlineData("8080808080808080808001")]
    public void A_number_too_large_for_its_type_is_refused(string hex)
    {
        int at = 0;
        Assert.False(Varint.TryReadUInt32(Convert.FromHexString(hex), ref at, out _));
    }

    [Fact]
    public void A_long_number_of_more_than_64_bits_is_refused()
    {
        int at = 0;
        Assert.False(Varint.TryReadUInt64(Convert.FromHexString("FFFFFFFFFFFFFFFFFF02"), ref at, out _));
        at = 0;
        Assert.True(Varint.TryReadUInt64(Convert.FromHexString("FFFFFFFFFFFFFFFFFF01"), ref at, out ulong max));
        Assert.Equal(ulong.MaxValue, max);
    }
}
