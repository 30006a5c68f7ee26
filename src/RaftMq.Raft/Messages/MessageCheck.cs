namespace RaftMq.Raft;

/// <summary>What a message must be to be stepped at all, whoever sent it. What is not is dropped, as if the network had lost it.</summary>
internal static class MessageCheck
{
    public static bool IsWellFormed(RaftMessage message) => message.Term >= Term.Zero && message switch
    {
        PreVoteRequest m => IsPosition(m.LastIndex, m.LastTerm) && m.LastTerm < m.Term,
        VoteRequest m => IsPosition(m.LastIndex, m.LastTerm) && m.LastTerm < m.Term,
        AppendEntries m => IsWellFormed(m),
        AppendAccepted m => m.DurableIndex >= LogIndex.Zero,
        AppendRejected m => m.PreviousIndex >= LogIndex.Zero && IsPosition(m.HintIndex, m.ConflictTerm),
        Heartbeat m => m.Commit >= LogIndex.Zero && m.ReadRound >= 0,
        HeartbeatReply m => m.DurableIndex >= LogIndex.Zero && m.ReadRound >= 0,
        InstallSnapshot m => m.SnapshotIndex > LogIndex.Zero && m.SnapshotTerm <= m.Term && m.SnapshotTerm >= Term.Zero,
        SnapshotReply m => m.SnapshotIndex > LogIndex.Zero,
        HealThrough m => m.LastIndex >= LogIndex.Zero,
        PreVoteReply m => !(m.Granted && m.Abstains),
        VoteReply m => !(m.Granted && m.Abstains),
        Quiesce m => m.Commit >= LogIndex.Zero && m.LastIndex >= m.Commit,
        _ => true,
    };

    /// <summary>Only a leader of the message's term sends it; it is accepted from whoever is one (docs/raft.md, strangers).</summary>
    public static bool IsOfLeader(RaftMessage message) =>
        message is AppendEntries or Heartbeat or InstallSnapshot or Quiesce or TimeoutNow;

    private static bool IsPosition(LogIndex index, Term term) => index >= LogIndex.Zero && term >= Term.Zero;

    private static bool IsWellFormed(AppendEntries message)
    {
        if (!IsPosition(message.PreviousIndex, message.PreviousTerm) || message.Commit < LogIndex.Zero
            || message.PreviousTerm > message.Term)
        {
            return false;
        }

        LogIndex index = message.PreviousIndex;
        Term term = message.PreviousTerm;
        for (int i = 0; i < message.Entries.Count; i++)
        {
            Entry entry = message.Entries[i];
            if (entry.Index != index.Next || entry.Term < term || entry.Term > message.Term
                || entry.Kind == EntryKind.Membership != (entry.Membership is not null))
            {
                return false;
            }

            (index, term) = (entry.Index, entry.Term);
        }

        return true;
    }
}
