namespace RaftMq.Raft;

/// <summary>
/// Sends the leader's log to its peers: from memory as far as it reaches, else by a read from disk, else by a snapshot; and how far it is
/// committed. Followers that stand at the same place get the very same message object, so that it is encoded once.
/// </summary>
internal sealed class Replicator(GroupState state)
{
    private AppendEntries? _shared;

    /// <summary>Sends to each peer what its mode and window allow.</summary>
    public void SendDue(PeerTable peers)
    {
        foreach (Peer peer in peers.All)
        {
            SendOne(peer, evenIfEmpty: false);
        }

        // It refers to memory of the tail and to a commit index, which both move on.
        _shared = null;
    }

    /// <param name="peer">The one to send to.</param>
    /// <param name="evenIfEmpty">
    /// Says at least where the log continues, and the commit index: the follower's answer shows whether something was lost.
    /// </param>
    public void Send(Peer peer, bool evenIfEmpty)
    {
        SendOne(peer, evenIfEmpty);
        _shared = null;
    }

    /// <summary>An append, an offer, or the answer to it may have been lost: the peer has answered something else.</summary>
    public void SendAgain(Peer peer)
    {
        peer.ProbePaused = false;
        if (peer.Mode == PeerMode.Snapshot)
        {
            OfferAgain(peer);
        }
        else if (peer.Match < state.Log.LastIndex)
        {
            Send(peer, evenIfEmpty: true);
        }
    }

    /// <param name="peer">The one to send to.</param>
    /// <param name="round">The round of heartbeats that this one belongs to.</param>
    public void Heartbeat(Peer peer, long round)
    {
        LogIndex commit = LogIndex.Min(state.Log.Commit, peer.Match);
        peer.CommitSent = LogIndex.Max(peer.CommitSent, commit);
        state.Send(peer.Id, new Heartbeat(state.Term, commit, round));
    }

    /// <summary>Tells the commit index to those that have entries below it and were not told.</summary>
    public void TellCommit(PeerTable peers)
    {
        foreach (Peer peer in peers.All)
        {
            if (peer.Mode == PeerMode.Replicate && peer.CommitSent < LogIndex.Min(state.Log.Commit, peer.Next.Previous))
            {
                Send(peer, evenIfEmpty: true);
            }
        }
    }

    /// <summary>An append was refused: it is probed further back. False: the refusal is of an older append and says nothing.</summary>
    public bool Rejected(Peer peer, AppendRejected m)
    {
        // Answers to older appends: a probe is refused where it was sent, and what is matched stays matched.
        bool isOld = peer.Mode == PeerMode.Probe ? m.PreviousIndex != peer.Next.Previous : m.PreviousIndex <= peer.Match;
        if (isOld || peer.Mode == PeerMode.Snapshot)
        {
            return false;
        }

        if (peer is { IsVoter: false, Mode: PeerMode.Probe } && m.PreviousIndex == peer.Match)
        {
            // What is matched can't be refused by who has it: this learner's replica was deleted and made anew since. It counts for
            // nothing yet, so forgetting what it had costs nothing.
            Probe.Reached(RareBranch.LearnerBeganAnew);
            peer.Restarted();
            return true;
        }

        // Strictly back with each refusal, so that probing ends: at the hint, or before the terms the follower can't have.
        LogIndex meet = LogIndex.Min(
            state.Log.LastWithTermAtMost(m.HintIndex, m.ConflictTerm), m.PreviousIndex.Previous);
        peer.BecomeProbe(LogIndex.Max(meet, LogIndex.Zero).Next);
        return true;
    }

    /// <summary>Offers a snapshot that can be fetched now.</summary>
    public void Offer(Peer peer, InstallSnapshot offer)
    {
        peer.Offered = offer;
        peer.TicksSinceOffered = 0;
        state.Send(peer.Id, offer);
    }

    /// <summary>The shell has read what was asked for, or (with no entries) could not.</summary>
    public void EntriesRead(Peer peer, LogIndex from, IReadOnlyList<Entry> entries)
    {
        if (peer.ReadingFrom != from)
        {
            return;
        }

        peer.ReadingFrom = null;
        if (entries.Count == 0 || peer.Mode != PeerMode.Replicate || peer.Next != from
            || state.Log.TermAt(from.Previous) is not { } previousTerm)
        {
            return;
        }

        Invariant.Holds(entries[0].Index == from);
        Invariant.Holds(entries[^1].Index <= state.Log.Commit);
        Invariant.Holds(state.Log.TermAt(entries[^1].Index) == entries[^1].Term);
        SendEntries(peer, new AppendEntries(state.Term, from.Previous, previousTerm, state.Log.Commit, entries));
    }

    private void SendOne(Peer peer, bool evenIfEmpty)
    {
        if (peer.Mode == PeerMode.Snapshot || (peer.Mode == PeerMode.Probe && peer.ProbePaused))
        {
            return;
        }

        if (state.Log.TermAt(peer.Next.Previous) is not { } previousTerm)
        {
            NeedSnapshot(peer);
            return;
        }

        if (peer.Mode == PeerMode.Probe)
        {
            SendProbe(peer, previousTerm);
        }
        else if (!SendAhead(peer) && evenIfEmpty)
        {
            Transmit(peer, new AppendEntries(state.Term, peer.Next.Previous, previousTerm, state.Log.Commit, []));
        }
    }

    // Entries go along when they are at hand; a probe far back, which reads nothing from disk, is empty.
    private void SendProbe(Peer peer, Term previousTerm)
    {
        List<Entry> entries = [];
        if (peer.Next <= state.Log.LastIndex)
        {
            state.Log.Tail.TryRead(
                peer.Next, state.Log.LastIndex, state.Config.WindowEntries, state.Config.ProbeBytesMax, entries);
        }

        peer.ProbePaused = true;
        peer.ProbedTo = peer.Next.Previous + entries.Count;
        Transmit(peer, new AppendEntries(state.Term, peer.Next.Previous, previousTerm, state.Log.Commit, entries));
    }

    private bool SendAhead(Peer peer)
    {
        bool sent = false;
        while (peer.Next <= state.Log.LastIndex && !peer.Window.IsFull && peer.ReadingFrom is null)
        {
            if (FromMemory(peer) is not { } message)
            {
                ReadFromDisk(peer);
                break;
            }

            SendEntries(peer, message);
            sent = true;
        }

        return sent;
    }

    private AppendEntries? FromMemory(Peer peer)
    {
        LogIndex previous = peer.Next.Previous;
        int entriesMax = peer.Window.EntriesFree;
        long bytesMax = Math.Min(peer.Window.BytesFree, state.Config.AppendBytesMax);
        if (_shared is { } shared && shared.PreviousIndex == previous && shared.Entries.Count <= entriesMax
            && bytesMax == state.Config.AppendBytesMax)
        {
            return shared;
        }

        List<Entry> entries = [];
        if (!state.Log.Tail.TryRead(peer.Next, state.Log.LastIndex, entriesMax, bytesMax, entries))
        {
            return null;
        }

        Invariant.Holds(entries[0].Index == peer.Next);
        AppendEntries message = new(
            state.Term, previous, state.Log.TermAt(previous)!.Value, state.Log.Commit, entries);
        _shared = message;
        return message;
    }

    private void ReadFromDisk(Peer peer)
    {
        LogIndex firstInMemory = state.Log.Tail.FirstInMemory;
        LogIndex to = LogIndex.Min(state.Log.Commit, firstInMemory.Previous);

        // Entries that are not committed never leave the tail, so there is something to read below it.
        Invariant.Holds(peer.Next <= to);
        peer.ReadingFrom = peer.Next;
        long bytesMax = Math.Min(peer.Window.BytesFree, state.Config.AppendBytesMax);
        state.Out.ReadLog(new LogReadRequest(peer.Id, peer.Next, LogIndex.Min(to, peer.Next + (peer.Window.EntriesFree - 1)), bytesMax));
    }

    private void SendEntries(Peer peer, AppendEntries message)
    {
        long bytes = 0;
        for (int i = 0; i < message.Entries.Count; i++)
        {
            bytes += message.Entries[i].SizeBytes;
        }

        LogIndex last = message.PreviousIndex + message.Entries.Count;
        peer.Window.Sent(last, message.Entries.Count, bytes);
        peer.SentUpTo(last);
        Transmit(peer, message);
    }

    private void Transmit(Peer peer, AppendEntries message)
    {
        // A leader was elected by votes for its term, so that term is durable here (P-01).
        Invariant.Holds(state.HardStateDurable);
        peer.CommitSent = LogIndex.Max(peer.CommitSent, message.Commit);
        state.Out.Send(peer.Id, message);
    }

    // A follower at work on it ignores a repeated one.
    private void OfferAgain(Peer peer)
    {
        if (peer.Offered is { } offered && peer.TicksSinceOffered >= state.Config.ElectionTicksMin)
        {
            Offer(peer, offered);
        }
    }

    // Only for who is there: nobody prepares snapshots for a node that is down.
    private void NeedSnapshot(Peer peer)
    {
        if (peer.TicksSinceHeard <= state.Config.ElectionTicksMin)
        {
            peer.BecomeSnapshot();
            state.Out.SendSnapshot(peer.Id);
        }
    }
}
