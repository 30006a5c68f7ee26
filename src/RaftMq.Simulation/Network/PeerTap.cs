using System.Buffers.Binary;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Shards;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.Coverage;
using RaftMq.Simulation.World;
using RaftMq.Storage.Log;

namespace RaftMq.Simulation.Network;

/// <summary>Reads what nodes say to each other, as it leaves them: who acts as leader of which term, and which entries travel.</summary>
internal sealed class PeerTap(History history, RunCoverage coverage)
{
    /// <summary>Where an entry's header keeps its checksum, which guards the header and, through the batch's own, everything.</summary>
    private const int EntryChecksumAt = 4;

    private readonly List<PeerMessage> _messages = [];

    /// <summary>Of a leader, when it last said something.</summary>
    private readonly Dictionary<(ReplicaId Leader, GroupId Group), (Term Term, LogIndex Commit, LogIndex MembershipAt)> _commits = [];

    public void See(NodeLife from, NodeId to, PeerFrame frame)
    {
        _messages.Clear();
        if (!PeerCodec.TryRead(frame.Written, out PeerSender sender, _messages))
        {
            history.Violated("peers", $"{from.Node.Id} sent a frame that its own codec refuses");
            return;
        }

        foreach (PeerMessage message in _messages)
        {
            coverage.Hit(CoverageKind.Message, MessageNames.Of(message));
            if (message is PeerMessage.SnapshotChunk { TotalBytes: >= 0 } chunk)
            {
                history.Add(new HistoryEvent.SnapshotGiven(from.Node.Id, chunk.Group));
            }

            switch (message)
            {
                case PeerMessage.Request request:
                    See(sender.Replica, request);
                    break;
                case PeerMessage.Response response:
                    See(to, response);
                    break;
            }

            if (message is PeerMessage.ForGroup said)
            {
                if (said.Message is AppendEntries or Heartbeat or InstallSnapshot or Quiesce)
                {
                    See(from, sender.Replica, said.Group, said.Message.Term);
                }

                history.Add(new HistoryEvent.Said(sender.Replica, to, said.Group, said.Message));
                See(from, said.Group, said.Message);
            }
        }
    }

    private void See(ReplicaId asker, PeerMessage.Request request)
    {
        var once = AdminCodec.TryDecodeRequest(request.Body.Span) as ControllerRequest.Once;
        history.Add(new HistoryEvent.RequestSaid(asker, request.Id, once?.Request.TopicId ?? 0, IsOnce: once is not null));
    }

    private void See(NodeId asker, PeerMessage.Response response)
    {
        // The others say that nothing is certain.
        if (AdminCodec.TryDecodeResponse(response.Body.Span) is { Result.Outcome: not (AdminOutcome.NotController or AdminOutcome.TimedOut) and var outcome })
        {
            history.Add(new HistoryEvent.RequestTold(asker, response.Id, IsRefused: outcome != AdminOutcome.Done));
        }
    }

    private void See(NodeLife from, ReplicaId leader, GroupId group, Term term)
    {
        history.Add(new HistoryEvent.LeaderSeen(group, term, leader.Node));
        if (from.Node.Host?.LeaderOf(group) is { } view && view.Term == term
            && (!_commits.TryGetValue((leader, group), out (Term, LogIndex, LogIndex) told)
                || told != (term, view.Commit, view.MembershipAt)))
        {
            _commits[(leader, group)] = (term, view.Commit, view.MembershipAt);
            history.Add(view.Of(leader, group));
        }
    }

    private void See(NodeLife from, GroupId group, RaftMessage message)
    {
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
            if (entry.Kind == StateEntryKinds.Cluster
                && ClusterCommand.TryDecode(entry.Bytes.Span[EntryLayout.HeaderBytes..]) is ClusterCommand.RequestAnswered answered)
            {
                history.Add(new HistoryEvent.AnswerEntrySeen(
                    group, entry.Index, entry.Term, answered.Node, answered.Number, answered.Change is not null, TopicOf(answered.Change)));
            }

            if (entry.Kind == StateEntryKinds.LogStart)
            {
                // One of an earlier term was decided by somebody else, who is not known here.
                long start = BinaryPrimitives.ReadInt64LittleEndian(entry.Bytes.Span[EntryLayout.HeaderBytes..]);
                history.SeeLogStart(
                    group, from.Node.Id, start, entry.Term == message.Term ? from.Node.Clock.LatestUnixMs : history.LatestUnixMs);
            }
        }
    }

    /// <summary>Zero: the change is of no topic, or makes one.</summary>
    private static UInt128 TopicOf(ClusterCommand? change) => change switch
    {
        ClusterCommand.TopicDeleted deleted => deleted.TopicId,
        ClusterCommand.PartitionsAdded added => added.TopicId,
        ClusterCommand.TopicConfigsSet set => set.TopicId,
        ClusterCommand.PreferredLeaderSet preferred => preferred.TopicId,
        ClusterCommand.PartitionMoved moved => moved.TopicId,
        _ => 0,
    };
}
