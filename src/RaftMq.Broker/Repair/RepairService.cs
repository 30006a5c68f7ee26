using RaftMq.Broker.Peers;
using RaftMq.Broker.Shards;
using RaftMq.Raft;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Repair;

namespace RaftMq.Broker.Repair;

/// <summary>
/// Gives entries to other nodes whose files are damaged: of groups that run here, also where this replica does not lead, and of those that did not
/// start for damage elsewhere. Only committed ones, each checked when it is read. In turn with what returning and moving replicas get.
/// </summary>
/// <param name="keyOf">The store's key of this node's replica of a group.</param>
internal sealed class RepairService(Shard shard, NodeStore store, GroupLogEnvironment environment, Func<GroupId, GroupId?> keyOf)
{
    /// <summary>One answer; a single larger entry travels alone.</summary>
    public const int AnswerBytes = 256 << 10;

    public void Wanted(NodeId by, PeerMessage.RepairWanted wanted)
    {
        if (wanted.From <= LogIndex.Zero || wanted.From > wanted.To)
        {
            return;
        }

        ShardContext context = shard.Context;
        context.Recovery.Begin(
            new RecoveryPace.Transfer(wanted.Group, by, TransferKind.Repair), AnswerBytes, context.Clock.MonotonicMs,
            () => Begin(new Answering(this, by, wanted)));
    }

    private void Begin(Answering answering)
    {
        PeerMessage.RepairWanted wanted = answering.Wanted;
        if (shard.Find(wanted.Group) is { } replica)
        {
            LogRead read = replica.Log.ReadForFollower(
                wanted.From, LogIndex.Min(wanted.To, replica.Log.Committed), AnswerBytes, answering);
            answering.LogBase = replica.Log.BaseIndex;
            if (read.Status != LogReadStatus.Pending)
            {
                answering.ReadDone(read);
            }
        }
        else if (keyOf(wanted.Group) is not { } key
            || !store.TryReadQuarantined(key, wanted.From, wanted.To, AnswerBytes, environment, answering.ReadDone))
        {
            answering.Answer(RepairAnswer.NotHere, []);
        }
    }

    private sealed class Answering(RepairService service, NodeId by, PeerMessage.RepairWanted wanted) : ILogReadWaiter
    {
        public PeerMessage.RepairWanted Wanted => wanted;

        public LogIndex LogBase { get; set; }

        public void ReadDone(LogRead read) => Answer(
            read.Status switch
            {
                LogReadStatus.Damaged => RepairAnswer.Damaged,
                LogReadStatus.BelowStart => RepairAnswer.Behind,
                _ => read.Entries.Count > 0 ? RepairAnswer.Entries : RepairAnswer.NotHere,
            },
            read.Entries);

        public void ReadDone(QuarantinedRead read)
        {
            LogBase = read.Base;
            Probe.ReachedWhen(read.Entries.Count > 0, RareBranch.QuarantinedGaveEntries);
            Answer(
                read.IsDamaged ? RepairAnswer.Damaged
                : read.Entries.Count > 0 ? RepairAnswer.Entries
                : wanted.From <= read.Base ? RepairAnswer.Behind
                : RepairAnswer.NotHere,
                read.Entries);
        }

        public void Answer(RepairAnswer answer, IReadOnlyList<Entry> entries)
        {
            ShardContext context = service.Context;
            long bytes = entries.Sum(static entry => (long)entry.SizeBytes);
            context.Recovery.GiveBack(Math.Max(0, AnswerBytes - bytes));
            context.Outbox.Add(by, new PeerMessage.RepairEntries(
                wanted.Group, wanted.From, answer, answer == RepairAnswer.Behind ? LogBase : LogIndex.Zero, entries));
        }
    }

    private ShardContext Context => shard.Context;
}
