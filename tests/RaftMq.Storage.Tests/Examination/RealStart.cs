using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Examination;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Scrub;

namespace RaftMq.Storage.Tests.Examination;

/// <summary>What the store itself makes of a folder: a start, and a scrub of all that started.</summary>
internal sealed class RealStart : IJournalOwner
{
    private readonly SortedDictionary<string, (GroupFate Fate, string? Report)> _groups = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _foundByScrub = new(StringComparer.Ordinal);
    private readonly NodeStore? _store;

    public RealStart(SimulatedDisk disk)
    {
        SteppedDiskQueue queue = new(disk);
        try
        {
            StoreIdentity identity = StoreIdentity.Open(disk, new NodeId(1), StoreExpectation.HasData, new StoreId(9));
            _store = NodeStore.Scan(disk, new NodeStoreLimits());
            using NodeJournal journal = JournalRecovery.Open(
                disk, new JournalOptions { FileBytes = 32 << 10, TotalBytesMax = 256 << 10, BatchBytesMax = 16 << 10 }, identity.Store, _store, queue, this,
                mayBeNew: !_store.HasGroups);
            GroupLogEnvironment environment = new(queue, journal, new TailPool());
            foreach (RecoveredGroup found in _store.Finish((_, _) => environment))
            {
                Take(found, queue);
            }
        }
        catch (Exception refused) when (refused is StoreRefusedException or JournalRefusedException or DamagedException)
        {
            Refusal = refused.Message;
        }
    }

    public string? Refusal { get; }

    /// <summary>By name.</summary>
    public IReadOnlyDictionary<string, (GroupFate Fate, string? Report)> Groups => _groups;

    /// <summary>Groups that started, and of which a segment or base is damaged, with what was said of it last.</summary>
    public IReadOnlyDictionary<string, string> FoundByScrub => _foundByScrub;

    void IJournalOwner.ReleaseWanted(GroupId group, LogIndex upTo)
    {
        // It is not lived on.
    }

    private void Take(RecoveredGroup found, SteppedDiskQueue queue)
    {
        if (found is not RecoveredGroup.Healthy healthy)
        {
            // Where its own word is lost it has another name for itself.
            _groups.Add($"t-{found.Group.Value}", (_store!.CanRepair(found.Group) ? GroupFate.WaitsForRepair : GroupFate.StaysOut, ((RecoveredGroup.Damaged)found).Report));
            return;
        }

        _groups.Add(found.Name, (healthy.Loss is null ? GroupFate.Starts : GroupFate.StartsDamaged, healthy.Loss));
        Owner owner = new();
        healthy.Log.Attach(owner);
        LogScrub scrub = healthy.Log.BeginScrub(static (_, _) => { });
        while (scrub.TryNext(1 << 20))
        {
            queue.RunAll();
        }

        if (healthy.Log.IsDamaged)
        {
            _foundByScrub.Add(found.Name, owner.Report);
        }
    }

    private sealed class Owner : IGroupLogOwner
    {
        /// <summary>A base that is lost the start knows of without a word.</summary>
        public string Report { get; private set; } = "found at the start";

        public void LogCut(LogIndex baseIndex)
        {
            // Nothing is cut.
        }

        public void LogDamaged(string report) => Report = report;
    }
}
