namespace RaftMq.Cli.Bench;

/// <summary>A producer's way to one partition. All of it under the producer's lock.</summary>
internal sealed class Lane(int partition)
{
    public int Partition { get; } = partition;

    /// <summary>Offered and not in a batch yet.</summary>
    public Queue<OfferedRun> Offered { get; } = new();

    public OfferedRun Head { get; set; }

    /// <summary>Failed batches by their order; sent again in that order, before anything new.</summary>
    public SortedDictionary<long, BatchInFlight> Again { get; } = [];

    public int InFlight { get; set; }

    /// <summary>
    /// Where those in flight went. Until they have come back nothing is sent to another node: a new leader that has not seen them would have
    /// to call what follows them out of order.
    /// </summary>
    public Link? Carrier { get; set; }

    public bool MaySendOn(Link link) => InFlight == 0 || Carrier == link;

    /// <summary>After a failure nothing is sent until all that was in flight has come back: order must not change.</summary>
    public bool Draining { get; set; }

    /// <summary>The leader is not known: asked for.</summary>
    public bool Waiting { get; set; }

    public long NextOrder { get; set; }

    public int NextSequence { get; set; }

    public bool HasWork => !Waiting && !Draining && (Again.Count > 0 || Head.Count > 0 || Offered.Count > 0);
}
