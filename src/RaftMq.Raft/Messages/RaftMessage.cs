namespace RaftMq.Raft;

/// <summary>
/// A message between replicas of one group. Group, sender (replica id) and sender's boot number travel beside it. All are values:
/// nothing in them changes after they were made.
/// </summary>
public abstract record RaftMessage(Term Term);

/// <summary>Would you vote for me in <see cref="RaftMessage.Term"/>, which I have not entered yet (dissertation 9.6)?</summary>
public sealed record PreVoteRequest(Term Term, LogIndex LastIndex, Term LastTerm) : RaftMessage(Term);

/// <param name="Term">The prospective term when granted or abstained from, the refuser's own term otherwise.</param>
/// <param name="Abstains">Refused by a damaged voter, whose word is done without where everybody else agrees; see <see cref="Majority.Outcome"/>.</param>
public sealed record PreVoteReply(Term Term, bool Granted, bool Abstains = false) : RaftMessage(Term);

/// <param name="LeadershipTransfer">The old leader asked for this election (dissertation 3.10): voters that still hear it may grant.</param>
public sealed record VoteRequest(Term Term, LogIndex LastIndex, Term LastTerm, bool LeadershipTransfer) : RaftMessage(Term);

/// <param name="Abstains">As in <see cref="PreVoteReply"/>.</param>
public sealed record VoteReply(Term Term, bool Granted, bool Abstains = false) : RaftMessage(Term);

/// <summary>Entries that follow (PreviousIndex, PreviousTerm) in the leader's log (Raft 5.3).</summary>
public sealed record AppendEntries(
    Term Term, LogIndex PreviousIndex, Term PreviousTerm, LogIndex Commit, IReadOnlyList<Entry> Entries) : RaftMessage(Term);

/// <summary>The follower's log equals the leader's up to <paramref name="DurableIndex"/>, durably.</summary>
public sealed record AppendAccepted(Term Term, LogIndex DurableIndex) : RaftMessage(Term);

/// <summary>
/// The entry before did not match. <paramref name="HintIndex"/> is where the leader should try next as PreviousIndex at the most, and
/// <paramref name="ConflictTerm"/> the follower's term at that index: above it, the leader need not try its own later terms either
/// (Raft 5.3, the optimisation).
/// </summary>
public sealed record AppendRejected(Term Term, LogIndex PreviousIndex, LogIndex HintIndex, Term ConflictTerm) : RaftMessage(Term);

/// <param name="Commit">The commit index, at most what this follower is known to hold.</param>
/// <param name="ReadRound">Confirms the leader for reads asked before this round (dissertation 6.4).</param>
public sealed record Heartbeat(Term Term, LogIndex Commit, long ReadRound) : RaftMessage(Term);

/// <param name="DurableIndex">As in <see cref="AppendAccepted"/>: repairs a lost ack.</param>
public sealed record HeartbeatReply(Term Term, long ReadRound, LogIndex DurableIndex) : RaftMessage(Term);

/// <summary>The follower is behind the log's start. A snapshot is a name and an index here; the bytes are the store's.</summary>
public sealed record InstallSnapshot(Term Term, LogIndex SnapshotIndex, Term SnapshotTerm, Membership Membership) : RaftMessage(Term);

public sealed record SnapshotReply(Term Term, LogIndex SnapshotIndex, bool Installed) : RaftMessage(Term);

/// <summary>Start an election at once (dissertation 3.10).</summary>
public sealed record TimeoutNow(Term Term) : RaftMessage(Term);

/// <summary>All live voters have everything: be quiet until something happens.</summary>
public sealed record Quiesce(Term Term, LogIndex LastIndex, LogIndex Commit) : RaftMessage(Term);

/// <summary>The sender can't be quiet (it lacks something, or it woke): be awake.</summary>
public sealed record Wake(Term Term) : RaftMessage(Term);

/// <summary>A damaged replica asks a leader how far its log reaches now: it is healed when it has all of that.</summary>
/// <param name="AskerBoot">Of the start that asks: an answer to a former one says nothing about what was acknowledged since.</param>
public sealed record HealQuery(Term Term, BootNumber AskerBoot) : RaftMessage(Term);

public sealed record HealThrough(Term Term, BootNumber AskerBoot, LogIndex LastIndex) : RaftMessage(Term);

/// <summary>A replica that lost its own term asks another voter for the term it is in. <paramref name="Term"/> may be too low.</summary>
public sealed record TermQuery(Term Term, BootNumber AskerBoot) : RaftMessage(Term);

public sealed record TermAnswer(Term Term, BootNumber AskerBoot) : RaftMessage(Term);
