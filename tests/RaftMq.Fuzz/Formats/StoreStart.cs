using RaftMq.Fuzz.Disk;
using RaftMq.Raft;
using RaftMq.Storage.Examination;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Scrub;

namespace RaftMq.Fuzz.Formats;

/// <summary>A start of the store on a folder, in the order of the product, and a scrub of all groups that started.</summary>
internal sealed class StoreStart : IJournalOwner
{
    private readonly SortedDictionary<GroupId, (GroupFate Fate, string? Report)> _groups = [];
    private readonly SortedDictionary<GroupId, string> _foundByScrub = [];

    /// <param name="disk">Is written to.</param>
    /// <param name="node">Whose folder it is.</param>
    public StoreStart(FuzzDisk disk, NodeId node)
    {
        InlineQueue queue = new(disk);
        try
        {
            StoreIdentity identity = StoreIdentity.Open(disk, node, StoreExpectation.HasData, Samples.Store);
            NodeStore store = NodeStore.Scan(disk, new NodeStoreLimits());
            using NodeJournal journal = JournalRecovery.Open(disk, NodeFolders.Options, identity.Store, store, queue, this, mayBeNew: !store.HasGroups);
            GroupLogEnvironment environment = new(queue, journal, new TailPool());
            foreach (RecoveredGroup found in store.Finish((_, _) => environment))
            {
                Take(store, found, queue);
            }
        }
        catch (Exception refused) when (refused is StoreRefusedException or JournalRefusedException or DamagedException)
        {
            Refusal = refused.Message;
        }
        catch (InvariantViolationException broken)
        {
            Broken = broken.ToString();
        }
    }

    /// <summary>Null: the node starts.</summary>
    public string? Refusal { get; }

    /// <summary>
    /// Not null: a node would end itself with this report. Files that are whole, each by itself, and were mended around numbers that do not belong together
    /// can come to that.
    /// </summary>
    public string? Broken { get; }

    public IReadOnlyDictionary<GroupId, (GroupFate Fate, string? Report)> Groups => _groups;

    /// <summary>Groups that started, and of which a durable entry or a base is not whole, with what was said of it.</summary>
    public IReadOnlyDictionary<GroupId, string> FoundByScrub => _foundByScrub;

    void IJournalOwner.ReleaseWanted(GroupId group, LogIndex upTo)
    {
        // Nobody lives on.
    }

    private void Take(NodeStore store, RecoveredGroup found, InlineQueue queue)
    {
        if (found is not RecoveredGroup.Healthy healthy)
        {
            _groups.Add(found.Group, (store.CanRepair(found.Group) ? GroupFate.WaitsForRepair : GroupFate.StaysOut, ((RecoveredGroup.Damaged)found).Report));
            return;
        }

        _groups.Add(found.Group, (healthy.Loss is null ? GroupFate.Starts : GroupFate.StartsDamaged, healthy.Loss));
        Owner owner = new();
        healthy.Log.Attach(owner);
        LogScrub scrub = healthy.Log.BeginScrub(static (_, _) => { });
        while (scrub.TryNext(1 << 20))
        {
            queue.RunAll();
        }

        if (healthy.Log.IsDamaged)
        {
            _foundByScrub.Add(found.Group, owner.Report);
        }
    }

    private sealed class Owner : IGroupLogOwner
    {
        public string Report { get; private set; } = "found at the start";

        public void LogCut(LogIndex baseIndex)
        {
            // Nothing is cut.
        }

        public void LogDamaged(string report) => Report = report;
    }
}
