namespace RaftMq.Raft;

/// <summary>The voter's side of elections, the same in every role.</summary>
internal static class Voter
{
    /// <summary>
    /// A stranger's request counts only when its log is newer than this one, as it may then hold a membership that names it and that has
    /// not come here yet. A removed replica's log lacks what removed it, and an emptied store's lacks everything, so neither is heard.
    /// </summary>
    public static bool MayAsk(GroupState state, ReplicaId from, Term lastTerm, LogIndex lastIndex) =>
        state.Log.Membership.IsMember(from) || !IsHere(state.Log, lastTerm, lastIndex);

    /// <summary>
    /// A pre-vote promises nothing: it only says whether a vote would be given (dissertation 9.6). Not in a term that is over, and not while
    /// a leader is heard.
    /// </summary>
    public static bool IsTimely(GroupState state, bool hearsLeader, PreVoteRequest request) =>
        state.IsBorn && request.Term > state.Term && !hearsLeader;

    /// <summary>Raft 5.2, 5.4.1: one vote per term, and only for a log that holds all that this one holds.</summary>
    public static bool Votes(GroupState state, ReplicaId from, VoteRequest request)
    {
        Invariant.Holds(request.Term == state.Term);
        bool isFree = PlantedBug.TwoVotesInOneTerm || state.Vote == from || (state.Vote is null && state.Leader is null);
        return isFree && state.IsBorn && IsUpToDate(state, request.LastTerm, request.LastIndex);
    }

    /// <summary>Raft 5.4.1: the later last term wins; with equal terms, the longer log. A damaged replica compares what it held.</summary>
    public static bool IsUpToDate(GroupState state, Term lastTerm, LogIndex lastIndex) =>
        !state.HeldIsUnknown && (new LogPosition(lastTerm, lastIndex).IsAtLeast(state.Held)
            || (PlantedBug.VoteForShorterLog && lastTerm == state.Held.Term));

    private static bool IsHere(RaftLog log, Term lastTerm, LogIndex lastIndex) =>
        lastTerm < log.LastTerm || (lastTerm == log.LastTerm && lastIndex <= log.LastIndex);
}
