using System.Text;
using RaftMq.Raft;
using RaftMq.Server.Peers;

namespace RaftMq.Server.Tests.Peers;

public sealed class PeerPreambleTests
{
    private const int HostAt = 18;

    [Fact]
    public void What_was_written_is_read()
    {
        var preamble = new PeerPreamble(new NodeId(1), new NodeId(2), "größe.example", 7070, new BootNumber(6), 9, PeerVerdict.OtherProcess);
        Assert.Equal(preamble, PeerPreamble.Read(preamble.ToBytes(), out string? fault));
        Assert.Null(fault);
    }

    /// <summary>It is dialled, printed and said to others: bytes that are no text would become a longer one than a preamble has room for.</summary>
    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFF })]
    [InlineData(new byte[] { (byte)'a', 0xC3 })]
    [InlineData(new byte[] { (byte)'a', 0x7F })]
    [InlineData(new byte[] { (byte)'a', 0xC2, 0x9B })] // The control sequence introducer of terminals.
    [InlineData(new byte[] { (byte)'a', (byte)' ', (byte)'b' })]
    [InlineData(new byte[] { (byte)'a', 0x00, (byte)'b' })]
    public void A_host_name_that_is_none_is_refused(byte[] host)
    {
        byte[] bytes = new PeerPreamble(new NodeId(1), new NodeId(2), "", 7070).ToBytes();
        host.CopyTo(bytes, HostAt);
        Assert.Null(PeerPreamble.Read(bytes, out string? fault));
        Assert.Contains("host", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void The_longest_host_name_fits()
    {
        string host = string.Concat(Enumerable.Repeat("é", PeerPreamble.HostBytesMax / Encoding.UTF8.GetByteCount("é")));
        var preamble = new PeerPreamble(new NodeId(1), new NodeId(2), host, 7070);
        Assert.Equal(host, PeerPreamble.Read(preamble.ToBytes(), out _)!.Host);
    }
}
