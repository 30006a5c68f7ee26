using RaftMq.Raft;
using RaftMq.Storage.Files;

namespace RaftMq.Broker.Environment;

/// <summary>Everything that comes in from outside of the deterministic part: time, chance, disk, network, and the sections that order work.</summary>
public interface INodeEnvironment
{
    IClock Clock { get; }

    /// <summary>Seeded by the host: from the system's secure generator in the product, from the run's seed in the simulator.</summary>
    RandomSource Random { get; }

    IPeerTransport Peers { get; }

    /// <summary>Start-up recovery uses the disk directly, before anything leaves the node.</summary>
    IDisk Disk { get; }

    ISection CreateSection(string name, ISectionOwner owner);

    /// <summary>A queue to the disk whose completions come back into <paramref name="section"/>.</summary>
    IDiskQueue CreateDiskQueue(ISection section);

    /// <summary>
    /// A promise can't be kept any more (broken invariant, fsync error): end the process with this report. Does not return in the
    /// product; in the simulator it throws.
    /// </summary>
    void Fatal(string report, Exception cause);

    /// <summary>For the log. Not for control flow.</summary>
    void Report(NodeEvent nodeEvent);
}
