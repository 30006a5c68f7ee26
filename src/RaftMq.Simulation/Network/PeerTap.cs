using System.Buffers.Binary;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Peers;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;

namespace RaftMq.Simulation.Network;

/// <summary>Reads what nodes say to each other: who acts as leader of which term, and which entries travel.</summary>
internal sealed class PeerTap(History history)
{
    /// <summary>Where an entry's header keeps its checksum, which guards the header and, through the batch's own, everything.</summary>
    private const int EntryChecksumAt = 4;

    private readonly List<PeerMessage> _messages = [];

    public void See(NodeId from, PeerFrame frame)
    {
        _messages.Clear();
        if (!PeerCodec.TryRead(frame.Written, out _, _messages))
        {
            history.Violated("peers", $"{from} sent a frame that its own codec refuses");
            return;
        }

        foreach (PeerMessage message in _messages)
        {
            if (message is PeerMessage.ForGroup said)
            {
                See(from, said.Group, said.Message);
            }
        }
    }

    private void See(NodeId from, GroupId group, RaftMessage message)
    {
        if (message is AppendEntries or Heartbeat or InstallSnapshot)
        {
            history.Add(new HistoryEvent.LeaderSeen(group, message.Term, from));
        }

        if (message is not AppendEntries append)
        {
            return;
        }

        Term previous = append.PreviousTerm;
        foreach (Entry entry in append.Entries)
        {
            uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(entry.Bytes.Span[EntryChecksumAt..]);
            history.Add(new HistoryEvent.EntrySeen(group, entry.Index, entry.Term, previous, checksum));
            previous = entry.Term;
        }
    }
}
