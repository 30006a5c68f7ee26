using RaftMq.Simulation.Checkers;

namespace RaftMq.Simulation.Tests.Checkers;

public sealed class MarkTests
{
    [Fact]
    public void A_written_mark_is_found_among_other_bytes()
    {
        byte[] bytes = [.. "RmqSim_-not a mark "u8, .. new byte[Mark.LengthBytes], 1, 2, 3];
        new Mark(0x1234).Write(bytes.AsSpan(19));
        Assert.True(Mark.TryFind(bytes, out Mark mark, out int at));
        Assert.Equal((new Mark(0x1234), 19), (mark, at));
    }

    [Fact]
    public void A_mark_that_is_cut_short_is_not_found()
    {
        byte[] bytes = new byte[Mark.LengthBytes];
        new Mark(5).Write(bytes);
        Assert.False(Mark.TryFind(bytes.AsSpan(0, Mark.LengthBytes - 1), out _, out _));
    }

    [Fact]
    public void Text_and_bytes_are_the_same()
    {
        byte[] bytes = new byte[Mark.LengthBytes];
        new Mark(ulong.MaxValue - 3).Write(bytes);
        Assert.Equal(new Mark(ulong.MaxValue - 3).ToString(), System.Text.Encoding.ASCII.GetString(bytes));
    }
}
