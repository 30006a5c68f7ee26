using RaftMq.Fuzz.Engine;
using RaftMq.Raft;
using RaftMq.Server.Peers;

namespace RaftMq.Fuzz.Formats;

/// <summary>The first bytes between two nodes, from whoever dials the port.</summary>
internal sealed class PeerPreambleFormat : FuzzFormat
{
    public override string Name => "peer-preamble";

    public override IReadOnlyList<string> Parsers => ["RaftMq.Server.Peers.PeerPreamble"];

    public override bool KeepsLength => true;

    public override int InputBytesMax => PeerPreamble.Bytes;

    public override IEnumerable<byte[]> Seeds() =>
    [
        new PeerPreamble(new NodeId(1), new NodeId(2), "node1.example", 7070, new BootNumber(6), 0x1234).ToBytes(),
        new PeerPreamble(new NodeId(1), new NodeId(2), "", 0).ToBytes(),
        new PeerPreamble(new NodeId(3), new NodeId(2), "größe.example", 65535, new BootNumber(6), 1, PeerVerdict.OtherProcess).ToBytes(),
    ];

    public override void Run(byte[] input)
    {
        if (input.Length != PeerPreamble.Bytes)
        {
            return;
        }

        PeerPreamble? read = PeerPreamble.Read(input, out string? fault);
        ReadDone();
        Oracle.Holds(read is null == fault is not null, "a refusal says why");
        if (read is not null)
        {
            Oracle.Same(input, read.ToBytes(), "what was read is written as it was");
            Oracle.Holds(!read.Host.Any(char.IsControl), "a host name can be printed");
        }
    }
}
