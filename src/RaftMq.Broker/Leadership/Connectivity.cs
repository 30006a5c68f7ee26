using RaftMq.Broker.Peers;
using RaftMq.Raft;

namespace RaftMq.Broker.Leadership;

/// <summary>
/// Which nodes this one misses: others hear them, and between them and this one it goes in one direction at most. Each node says whom it hears and whom it
/// misses (<see cref="PeerMessage.Hearing"/>); so both ends of a broken link come to the same verdict, whichever direction is broken, as long as
/// somebody hears both. A node that nobody else hears is dead as far as anybody can tell, and missed by nobody. A hint for whoever hands leadership over
/// (<see cref="LeaderBalancer"/>); safety does not depend on it.
/// </summary>
internal sealed class Connectivity(NodeId self)
{
    /// <summary>The word is said again so often where nothing changes, as a frame may be lost.</summary>
    public const int RepeatMs = 500;

    /// <summary>
    /// The other nodes come to their verdicts within so long after this one: by when they noticed the silence, by their beats, and by the word on its way. Before
    /// that somebody may look better than this node who is not.
    /// </summary>
    private const int SettledMs = 500;

    /// <summary>The last word of each node that is heard.</summary>
    private readonly SortedDictionary<NodeId, Word> _words = [];
    private readonly SortedDictionary<NodeId, LinkWatch> _links = [];
    private readonly List<NodeId> _gone = [];
    private long _missedSinceMs;

    private sealed record Word(IReadOnlyList<NodeId> Heard, IReadOnlyList<NodeId> Missed, bool HearsSelf);

    /// <summary>All that this node says of it.</summary>
    public PeerMessage.Hearing Announcement { get; private set; } = new([], []);

    /// <summary>Nodes that this one misses, in order.</summary>
    public IReadOnlyList<NodeId> Missed => Announcement.Missed;

    /// <summary>Another node's word. True when that is news to this node of itself: then it should have this node's own, which may have been lost.</summary>
    public bool Said(NodeId from, PeerMessage.Hearing said)
    {
        bool heardSelf = _words.TryGetValue(from, out Word? before) && before.HearsSelf;
        bool hearsSelf = Names(said.Heard, self);
        _words[from] = new Word(said.Heard, said.Missed, hearsSelf);
        return hearsSelf != heardSelf;
    }

    /// <summary>With each beat.</summary>
    /// <param name="others">All other nodes, once each.</param>
    /// <param name="isHeard">Whether one of them was heard just now.</param>
    /// <param name="isMember">The others know this node: who waits to join is heard by nobody in their words, and misses nobody.</param>
    /// <returns>True when the announcement is another one now.</returns>
    public bool Look(IEnumerable<NodeId> others, Func<NodeId, bool> isHeard, bool isMember, long nowMs)
    {
        List<NodeId> heard = [];
        List<NodeId> all = [.. others];
        foreach (NodeId node in all)
        {
            if (isHeard(node))
            {
                heard.Add(node);
            }
        }

        ForgetAllBut(heard, all);
        List<NodeId> missed = [];
        foreach (NodeId node in all)
        {
            bool isLinked = IsHeardBy(node);
            bool isHeardOf = isMember && !isLinked && IsHeardByAnother(node);
            if (!_links.TryGetValue(node, out LinkWatch? link))
            {
                _links.Add(node, link = new LinkWatch());
            }

            if (link.CountsAsBroken(nowMs, isHeardOf) && (isLinked || isHeardOf) && !PlantedBug.BrokenLinksIgnored)
            {
                missed.Add(node);
            }
        }

        heard.Sort();
        missed.Sort();
        bool misses = !missed.SequenceEqual(Announcement.Missed);
        if (misses)
        {
            _missedSinceMs = nowMs;
        }

        if (!misses && heard.SequenceEqual(Announcement.Heard))
        {
            return false;
        }

        Announcement = new PeerMessage.Hearing(heard, missed);
        return true;
    }

    /// <summary>Whom this node misses is known for so long that the others know it of themselves too.</summary>
    public bool IsSettled(long nowMs) => nowMs - _missedSinceMs >= SettledMs;

    /// <summary>How many other members of a group that node misses, by its own word.</summary>
    public int MissedOf(NodeId node, Membership membership)
    {
        IReadOnlyList<NodeId> missed = node == self ? Announcement.Missed : _words.TryGetValue(node, out Word? word) ? word.Missed : [];
        int count = 0;
        for (int i = 0; i < missed.Count; i++)
        {
            if (missed[i] != node && membership.Names(missed[i]))
            {
                count++;
            }
        }

        return count;
    }

    /// <summary>By its last word.</summary>
    public bool IsHeardBy(NodeId node) => _words.TryGetValue(node, out Word? word) && word.HearsSelf;

    public bool Misses(NodeId node) => Names(Announcement.Missed, node);

    /// <summary>That node hears this one and is heard, by its last word, and has done so for long enough.</summary>
    public bool IsLinked(NodeId node) => IsHeardBy(node) && !Misses(node);

    private bool IsHeardByAnother(NodeId node)
    {
        foreach ((NodeId by, Word word) in _words)
        {
            if (by != node && Names(word.Heard, node))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What a node said before it fell silent says nothing of now.</summary>
    private void ForgetAllBut(List<NodeId> heard, List<NodeId> all)
    {
        _gone.Clear();
        _gone.AddRange(_words.Keys.Where(node => !heard.Contains(node)));
        _gone.ForEach(node => _words.Remove(node));
        _gone.Clear();
        _gone.AddRange(_links.Keys.Where(node => !all.Contains(node)));
        _gone.ForEach(node => _links.Remove(node));
    }

    private static bool Names(IReadOnlyList<NodeId> nodes, NodeId node)
    {
        for (int i = 0; i < nodes.Count; i++)
        {
            if (nodes[i] == node)
            {
                return true;
            }
        }

        return false;
    }
}
