namespace RaftMq.Raft.Tests.Support;

/// <summary>Messages and entries as they stand in traces: short, one line.</summary>
internal static class Render
{
    public static string Message(RaftMessage message) => message switch
    {
        PreVoteRequest m => $"pre-vote? {m.Term} log {m.LastIndex}/{m.LastTerm}",
        PreVoteReply m => $"pre-vote {(m.Granted ? "granted" : m.Abstains ? "abstained" : "refused")} {m.Term}",
        VoteRequest m => $"vote? {m.Term} log {m.LastIndex}/{m.LastTerm}{(m.LeadershipTransfer ? " transfer" : "")}",
        VoteReply m => $"vote {(m.Granted ? "granted" : m.Abstains ? "abstained" : "refused")} {m.Term}",
        AppendEntries m => $"append {m.Term} after {m.PreviousIndex}/{m.PreviousTerm} commit {m.Commit}{Entries(m.Entries)}",
        AppendAccepted m => $"accepted {m.Term} durable {m.DurableIndex}",
        AppendRejected m => $"rejected {m.Term} after {m.PreviousIndex} try {m.HintIndex}/{m.ConflictTerm}",
        Heartbeat m => $"heartbeat {m.Term} commit {m.Commit} round {m.ReadRound}",
        HeartbeatReply m => $"heartbeat reply {m.Term} round {m.ReadRound} durable {m.DurableIndex}",
        InstallSnapshot m => $"snapshot {m.Term} of {m.SnapshotIndex}/{m.SnapshotTerm} {m.Membership}",
        SnapshotReply m => $"snapshot {(m.Installed ? "installed" : "failed")} {m.Term} {m.SnapshotIndex}",
        TimeoutNow m => $"timeout now {m.Term}",
        Quiesce m => $"quiesce {m.Term} last {m.LastIndex} commit {m.Commit}",
        Wake m => $"wake {m.Term}",
        HealQuery m => $"heal? {m.Term} boot {m.AskerBoot.Value}",
        HealThrough m => $"heal through {m.LastIndex} {m.Term} boot {m.AskerBoot.Value}",
        TermQuery m => $"term? {m.Term} boot {m.AskerBoot.Value}",
        TermAnswer m => $"term {m.Term} boot {m.AskerBoot.Value}",
        _ => throw new ArgumentOutOfRangeException(nameof(message)),
    };

    public static string Entries(IReadOnlyList<Entry> entries) =>
        string.Concat(entries.Select(e => $" [{e.Index}/{e.Term} {MemoryTail.Text(e)}]"));
}
