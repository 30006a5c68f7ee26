using RaftMq.Broker.Environment;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Shards;
using RaftMq.Raft;
using RaftMq.Storage.Repair;

namespace RaftMq.Broker.Repair;

/// <summary>
/// Drives the repairs of this node's replicas: asks the nodes that have the group, one at a time and in turn, and gives what comes to the repair. Who
/// can't help is not asked again in the same round; where nobody can, that is told, and all are asked again, less and less often and for ever.
/// </summary>
/// <param name="holdersOf">Other nodes that have a replica of the group, as far as is known.</param>
internal sealed class Repairs(ShardContext context, Func<GroupId, IReadOnlyList<NodeId>> holdersOf, Action<NodeEvent> report)
{
    /// <summary>Groups that are mended at a time; more wait.</summary>
    public const int ActiveMax = 4;

    private const int AnswerMs = 1_000;
    private const int PauseMsMin = 500;
    private const int PauseMsMax = 30_000;

    private readonly SortedDictionary<GroupId, Job> _jobs = [];

    public long BytesTaken { get; private set; }

    public long FilesMended { get; private set; }

    public bool IsUnderWay(GroupId group) => _jobs.ContainsKey(group);

    /// <summary>What runs for the group now.</summary>
    public GroupRepair? Current(GroupId group) => _jobs.GetValueOrDefault(group)?.Repair;

    /// <summary>How it goes, as a clause for people; null when nothing is to be mended.</summary>
    public string? Describe(GroupId group) => _jobs.TryGetValue(group, out Job? job) ? job.State : null;

    /// <summary>Something of the group is to be mended. Nothing new where that is known.</summary>
    /// <param name="begin">The next repair; null when all is mended.</param>
    /// <param name="mended">Told of each one that ended well.</param>
    /// <param name="over">All is mended.</param>
    public void Want(GroupId group, string name, Func<GroupRepair?> begin, Action<GroupRepair> mended, Action over) =>
        _jobs.TryAdd(group, new Job(group, name, begin, mended, over));

    /// <summary>Something else of the group is damaged: that need not wait until what nobody has is asked for again.</summary>
    public void Hurry(GroupId group)
    {
        if (_jobs.TryGetValue(group, out Job? job) && job.Repair is null)
        {
            job.NextMs = Math.Min(job.NextMs, context.Clock.MonotonicMs);
            job.PauseMs = PauseMsMin;
        }
    }

    /// <summary>
    /// A node can be asked that could not before: what waits since nobody answered need not wait on. A node that was cut off for as long as the pause has
    /// grown would else stay damaged for as long again.
    /// </summary>
    public void AskAgain()
    {
        foreach (Job job in _jobs.Values)
        {
            if (job.Asked is null)
            {
                job.NextMs = Math.Min(job.NextMs, context.Clock.MonotonicMs);
                job.PauseMs = PauseMsMin;
            }
        }
    }

    /// <summary>The group leaves this node, or its files were replaced.</summary>
    public void Forget(GroupId group)
    {
        if (_jobs.Remove(group, out Job? job))
        {
            job.Repair?.Abandon();
        }
    }

    public void Tick()
    {
        if (_jobs.Count == 0)
        {
            return;
        }

        int active = 0;
        foreach (Job job in _jobs.Values.ToArray())
        {
            if (job.Repair is not null || active < ActiveMax)
            {
                Drive(job);
                active += job.Repair is null ? 0 : 1;
            }
        }
    }

    public void EntriesCame(NodeId from, PeerMessage.RepairEntries said)
    {
        if (!_jobs.TryGetValue(said.Group, out Job? job) || job.Asked != from || job.Repair is not { } repair)
        {
            return;
        }

        if (repair.Wish is RepairWish.Base known && known.Index == said.From)
        {
            job.Behind = LogIndex.Max(job.Behind, said.LogBase);
            Refused(job, from, said.Answer == RepairAnswer.Behind ? "has cut it" : "does not have it whole");
            Drive(job);
            return;
        }

        if (repair.Wish is not RepairWish.Entries wish || wish.From != said.From)
        {
            return;
        }

        switch (said.Answer)
        {
            case RepairAnswer.Entries:
                Taken(job, from, repair.EntriesCame(said.Entries));
                break;
            case RepairAnswer.Behind:
                job.Behind = LogIndex.Max(job.Behind, said.LogBase);
                Refused(job, from, "has cut it");
                break;
            case RepairAnswer.Damaged:
                Probe.Reached(RareBranch.RepairRefusedAsDamaged);
                Refused(job, from, "is damaged there too");
                break;
            default:
                Refused(job, from, "does not have it");
                break;
        }

        Drive(job);
    }

    /// <summary>False: no repair asked for it.</summary>
    public bool BaseCame(NodeId from, PeerMessage.SnapshotChunk chunk)
    {
        if (!_jobs.TryGetValue(chunk.Group, out Job? job) || job.Asked != from
            || job.Repair is not { Wish: RepairWish.Base wish } repair || wish.Index != chunk.SnapshotIndex)
        {
            return false;
        }

        if (chunk.TotalBytes < 0)
        {
            // Why: where that log begins tells.
            job.NextMs = context.Clock.MonotonicMs + AnswerMs;
            context.Outbox.Add(from, new PeerMessage.RepairWanted(job.Group, wish.Index, wish.Index));
        }
        else if (chunk.Position == wish.Position)
        {
            Taken(job, from, repair.BaseCame(chunk.Position, chunk.Bytes, chunk.TotalBytes));
        }

        Drive(job);
        return true;
    }

    private void Taken(Job job, NodeId from, bool fits)
    {
        if (!fits)
        {
            Refused(job, from, "has something else there");
            return;
        }

        job.Asked = null;
        job.NextMs = context.Clock.MonotonicMs;
        job.PauseMs = PauseMsMin;
        job.Refusals.Clear();
    }

    private void Refused(Job job, NodeId node, string why)
    {
        job.Asked = null;
        job.NextMs = context.Clock.MonotonicMs;
        job.Refusals[node] = why;
        job.Turn++;
    }

    private void Drive(Job job)
    {
        long now = context.Clock.MonotonicMs;
        if (job.Repair is { IsOver: true } ended)
        {
            Ended(job, ended, now);
        }

        if (job.Repair is null)
        {
            if (now < job.NextMs || !_jobs.ContainsKey(job.Group))
            {
                return;
            }

            job.Repair = job.Begin();
            if (job.Repair is null)
            {
                _jobs.Remove(job.Group);
                job.Over();
                return;
            }
        }

        if (job.Asked is { } silent && now >= job.NextMs)
        {
            Refused(job, silent, "does not answer");
        }

        if (job.Repair.Wish is { } wish && job.Asked is null && now >= job.NextMs)
        {
            Ask(job, wish, now);
        }
    }

    private void Ended(Job job, GroupRepair ended, long now)
    {
        job.Repair = null;
        job.Asked = null;
        BytesTaken += ended.BytesTaken;
        FilesMended += ended.FilesMended;
        if (ended.Failure is { } failure)
        {
            // What came fitted itself and nothing here: somebody else is asked first then.
            job.Turn++;
            job.State = failure;
            Pause(job, now);
            return;
        }

        (job.NextMs, job.PauseMs) = (now, PauseMsMin);
        if (ended.FilesMended > 0)
        {
            report(new NodeEvent(
                NodeEventKind.FilesMended,
                $"{job.Name}: {ended.What} was mended with {ended.BytesTaken} bytes from other replicas ({ended.FilesMended} files).",
                [("group", job.Name), ("file", ended.What), ("files", ended.FilesMended), ("bytes", ended.BytesTaken)]));
        }

        job.Mended(ended);
    }

    private void Ask(Job job, RepairWish wish, long now)
    {
        IReadOnlyList<NodeId> holders = holdersOf(job.Group);
        NodeId? next = null;
        for (int i = 0; i < holders.Count && next is null; i++)
        {
            NodeId candidate = holders[(job.Turn + i) % holders.Count];
            next = job.Refusals.ContainsKey(candidate) ? null : candidate;
        }

        if (next is not { } node)
        {
            NobodyCan(job, now);
            return;
        }

        job.Asked = node;
        job.NextMs = now + AnswerMs;
        job.State = $"{job.Repair!.What} is fetched from node {node.Value}";
        context.Outbox.Add(node, wish switch
        {
            RepairWish.Entries entries => new PeerMessage.RepairWanted(job.Group, entries.From, entries.To),
            RepairWish.Base known => new PeerMessage.SnapshotWanted(job.Group, known.Index, known.Position),
            _ => throw new InvariantViolationException($"No question for {wish.GetType().Name}."),
        });
    }

    /// <summary>All were asked. Where some have cut what is wanted, so may this one; else an operator should know.</summary>
    private void NobodyCan(Job job, long now)
    {
        GroupRepair repair = job.Repair!;
        string answers = job.Refusals.Count == 0
            ? "no other node has a replica of it"
            : string.Join(", ", job.Refusals.Select(static refusal => $"node {refusal.Key.Value} {refusal.Value}"));
        job.Refusals.Clear();
        LogIndex behind = job.Behind;
        job.Behind = LogIndex.Zero;
        if (behind > LogIndex.Zero && repair.TryBeginBehind(behind))
        {
            job.NextMs = now;
            return;
        }

        string range = repair.Wish is RepairWish.Entries wish ? $", entries {wish.From} to {wish.To}" : "";
        job.State = $"nobody has {repair.What}{range} whole: {answers}";
        Pause(job, now);
        if (repair.Wish is RepairWish.Base || repair is not QuarantinedRepair)
        {
            // What is wanted may be another thing by then: retention goes on, here and elsewhere.
            repair.Abandon();
            job.Repair = null;
        }

        if (job.Told != job.State)
        {
            job.Told = job.State;
            report(new NodeEvent(
                NodeEventKind.RepairWaits, $"{job.Name}: {job.State}. It is asked for again and again; nothing is deleted.",
                [("group", job.Name), ("file", repair.What), ("answers", answers)]));
        }
    }

    private static void Pause(Job job, long now)
    {
        job.NextMs = now + job.PauseMs;
        job.PauseMs = Math.Min(job.PauseMs * 2, PauseMsMax);
    }

    private sealed class Job(GroupId group, string name, Func<GroupRepair?> begin, Action<GroupRepair> mended, Action over)
    {
        public GroupId Group => group;

        public string Name => name;

        public Func<GroupRepair?> Begin => begin;

        public Action<GroupRepair> Mended => mended;

        public Action Over => over;

        public GroupRepair? Repair { get; set; }

        /// <summary>Who is to answer; null while nobody is.</summary>
        public NodeId? Asked { get; set; }

        /// <summary>Before it nothing is asked again, or, with <see cref="Asked"/>, until then an answer may come.</summary>
        public long NextMs { get; set; }

        public int PauseMs { get; set; } = PauseMsMin;

        /// <summary>Counts on where somebody can't help, so that it is not always the same one who is asked first.</summary>
        public int Turn { get; set; }

        /// <summary>Why who was asked in this round can't help.</summary>
        public SortedDictionary<NodeId, string> Refusals { get; } = [];

        /// <summary>The furthest beginning of a log that was heard of in this round.</summary>
        public LogIndex Behind { get; set; }

        public string State { get; set; } = "it waits for its turn";

        public string? Told { get; set; }
    }
}
