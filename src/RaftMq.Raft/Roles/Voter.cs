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

    /// <summary>A pre-vote promises nothing: it only says whether a vote would be given (dissertation 9.6).</summary>
    public static bool WouldVote(GroupState state, bool hearsLeader, PreVoteRequest request) =>
        request.Term > state.Term && !hearsLeader && state.Log.IsUpToDate(request.LastTerm, request.LastIndex);

    /// <summary>Raft 5.2, 5.4.1: one vote per term, and only for a log that holds all that this one holds.</summary>
    public static bool Votes(GroupState state, ReplicaId from, VoteRequest request)
    {
        Invariant.Holds(request.Term == state.Term);
        bool isFree = state.Vote == from || (state.Vote is null && state.Leader is null);
        return isFree && state.Log.IsUpToDate(request.LastTerm, request.LastIndex);
    }

    private static bool IsHere(RaftLog log, Term lastTerm, LogIndex lastIndex) =>
        lastTerm < log.LastTerm || (lastTerm == log.LastTerm && lastIndex <= log.LastIndex);
}
