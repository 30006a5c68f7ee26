using RaftMq.Raft;
using RaftMq.Storage.Examination;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Repair;

namespace RaftMq.Storage.Recovery;

/// <summary>Named limits of start-up.</summary>
/// <param name="PendingBytesMax">Entries of the journal held in memory until they go to segments; uncommitted ones may exceed it.</param>
public sealed record NodeStoreLimits(long PendingBytesMax = 64L << 20);

/// <summary>
/// All groups of a data folder. Its life:
/// 1. <see cref="Scan"/> reads the groups' folders (after the store's identity was checked);
/// 2. the journal's recovery replays into it: it is the journal's <see cref="IJournalReplay"/> and later its <see cref="IJournalOwner"/>;
/// 3. <see cref="Finish"/> makes every group whole or says what is damaged;
/// 4. groups come and go through <see cref="CreateGroup"/> and <see cref="DeleteGroup"/>.
/// </summary>
public sealed class NodeStore : IJournalReplay, IJournalOwner
{
    private const string FolderIsGone = "the journal holds entries of it, but its folder is gone though it was not deleted";

    private readonly IDisk _disk;
    private readonly NodeStoreLimits _limits;

    /// <summary>Groups with a folder, in order of their id.</summary>
    private readonly SortedDictionary<GroupId, GroupRecovery> _recoveries = [];

    /// <summary>Folders whose group was deleted already.</summary>
    private readonly SortedDictionary<GroupId, string> _leaving = [];

    /// <summary>Groups that the journal names and that have no folder; the value says whether their deletion was seen.</summary>
    private readonly SortedDictionary<GroupId, bool> _strangers = [];

    private readonly Dictionary<GroupId, GroupLog> _groups = [];

    /// <summary>Groups that did not start because of damage, with what the journal said of them.</summary>
    private readonly Dictionary<GroupId, GroupRecovery> _quarantined = [];

    /// <summary>Groups whose deletion began here or was found at start. An incarnation that was deleted never comes back.</summary>
    private readonly HashSet<GroupId> _deleted = [];

    /// <summary>Creations and deletions for which the disk had no room.</summary>
    private readonly List<(IDiskQueue Queue, DiskWork Work)> _withoutRoom = [];

    private long _flushAtBytes;
    private Action<GroupId, LogIndex>? _route;

    private NodeStore(IDisk disk, NodeStoreLimits limits)
    {
        _disk = disk;
        _limits = limits;
        _flushAtBytes = limits.PendingBytesMax;
    }

    /// <summary>The log of a group that was opened or created here and not deleted; null otherwise.</summary>
    public GroupLog? Find(GroupId group) => _groups.GetValueOrDefault(group);

    /// <summary>
    /// The group's deletion is known here: it must not be created. A caller whose state is older than the deletion asks before it does:
    /// the journal writes nothing for such a group any more, and its folder is on its way out.
    /// </summary>
    public bool IsDeleted(GroupId group) => _deleted.Contains(group);

    public static NodeStore Scan(IDisk disk, NodeStoreLimits limits)
    {
        NodeStore store = new(disk, limits);
        if (!disk.FolderExists(GroupMeta.GroupsFolder))
        {
            return store;
        }

        // What a killed process renamed or deleted is seen here and may not be durable: a power cut later would bring it back.
        disk.SyncFolder(GroupMeta.GroupsFolder);
        foreach (string name in disk.List(GroupMeta.GroupsFolder))
        {
            disk.SyncFolder($"{GroupMeta.GroupsFolder}/{name}");
            store.ScanFolder(name);
        }

        return store;
    }

    /// <summary>Groups were found, whole or not: this is not the folder's first start.</summary>
    public bool HasGroups => _recoveries.Count > 0;

    /// <summary>
    /// With several shards: hands what the journal asks of a group over to the group's section, which calls
    /// <see cref="GroupLog.ReleaseUpTo"/>. Without this the call is made directly.
    /// </summary>
    public void RouteReleases(Action<GroupId, LogIndex> route) => _route = route;

    /// <summary>The journal has replayed everything and is live.</summary>
    /// <param name="environmentOf">The section a group belongs to, by group and name.</param>
    public IReadOnlyList<RecoveredGroup> Finish(Func<GroupId, string, GroupLogEnvironment> environmentOf)
    {
        List<RecoveredGroup> result = [];
        foreach ((GroupId group, GroupRecovery recovery) in _recoveries)
        {
            if (recovery.IsDeleted)
            {
                GroupFolder.Remove(_disk, recovery.Folder);
                _deleted.Add(group);
                continue;
            }

            RecoveredGroup found = recovery.Finish(environmentOf(group, recovery.Name));
            if (found is RecoveredGroup.Healthy healthy)
            {
                _groups.Add(group, healthy.Log);
            }
            else
            {
                _quarantined.Add(group, recovery);
            }

            result.Add(found);
        }

        foreach ((GroupId group, bool wasDeleted) in _strangers)
        {
            if (wasDeleted)
            {
                _deleted.Add(group);
            }
            else
            {
                result.Add(new RecoveredGroup.Damaged(group, group.ToString(), FolderIsGone));
            }
        }

        FinishDeletions(environmentOf);
        _recoveries.Clear();
        return result;
    }

    /// <summary>
    /// As <see cref="Finish"/>, and only says what would come of each group. For a disk that is thrown away; the store can't be used after it.
    /// </summary>
    internal IReadOnlyList<GroupVerdict> Judge()
    {
        List<GroupVerdict> verdicts = [.. _recoveries.Values.Select(recovery => recovery.Judge())];
        verdicts.AddRange(_leaving.Select(left => new GroupVerdict(
            left.Key, left.Value, left.Value, GroupFate.Deleted, Report: null, LogIndex.Zero, DurableUpTo: null)));
        verdicts.AddRange(_strangers.Where(stranger => !stranger.Value).Select(stranger => new GroupVerdict(
            stranger.Key, stranger.Key.ToString(), Folder: null, GroupFate.StaysOut, FolderIsGone, LogIndex.Zero, DurableUpTo: null)));
        return verdicts;
    }

    /// <summary>
    /// Makes a new group: folder and meta file are durable before the waiter gets the log. On a full disk that comes later, see
    /// <see cref="TryAgain"/>.
    /// </summary>
    /// <param name="name">For people, and the folder's name: topic and partition.</param>
    /// <param name="membership">In force before the first entry; without voters where a leader will bring it.</param>
    public void CreateGroup(
        GroupId group, string name, Membership membership, GroupLogEnvironment environment, IGroupCreationWaiter waiter)
    {
        Invariant.Holds(!_groups.ContainsKey(group));
        Invariant.Holds(!_deleted.Contains(group));
        GroupMeta meta = new(group, name, membership);
        environment.Disk.Submit(DiskLane.Background, new GroupCreation(meta, () =>
        {
            TailStart tail = new(LogIndex.Zero, 0, SegmentFirst: null, [(LogIndex.Zero, membership)]);
            GroupLog log = new(group, meta.Folder, environment, new GroupLogStart(
                LogIndex.Zero, Term.Zero, 0, LogIndex.Zero, tail, new TermTable(), [], LogIndex.Zero, [], Newest: null));
            RaftStart raft = new(
                new HardState(Term.Zero, Vote: null), LogIndex.Zero, Term.Zero, membership, [], LogIndex.Zero, [], LogIndex.Zero);
            _groups.Add(group, log);
            waiter.GroupCreated(group, log, raft);
        }, WaitForRoom(environment)));
    }

    /// <summary>Groups whose creation or deletion found no room on the disk and waits for <see cref="TryAgain"/>.</summary>
    public int WithoutRoomCount => _withoutRoom.Count;

    /// <summary>Tries once more what found no room.</summary>
    public void TryAgain()
    {
        (IDiskQueue Queue, DiskWork Work)[] waiting = [.. _withoutRoom];
        _withoutRoom.Clear();
        foreach ((IDiskQueue queue, DiskWork work) in waiting)
        {
            queue.Submit(DiskLane.Background, work);
        }
    }

    /// <summary>
    /// Ends a group on this node: marked, then recorded in the journal, then its folder goes. The log must not be used any more.
    /// </summary>
    /// <param name="done">Called inside the section when the folder is gone.</param>
    public void DeleteGroup(GroupLog log, GroupLogEnvironment environment, Action done)
    {
        _groups.Remove(log.Group);
        _deleted.Add(log.Group);
        log.Close();
        new GroupDeletion(log.Group, log.Folder, environment, log.WhenUnread, done, WaitForRoom(environment)).Start();
    }

    /// <summary>
    /// Ends a group that did not start because of damage. Only by the cluster's own decision, known to be one: what is damaged here is
    /// evidence, and the last copy perhaps, until nobody wants the group any more.
    /// </summary>
    /// <param name="done">Called inside the section when the folder is gone.</param>
    public void DeleteDamagedGroup(GroupId group, GroupLogEnvironment environment, Action done)
    {
        if (_groups.TryGetValue(group, out GroupLog? log))
        {
            // The damage was found when its entries were applied.
            DeleteGroup(log, environment, done);
            return;
        }

        _deleted.Add(group);
        if (_quarantined.Remove(group, out GroupRecovery? recovery))
        {
            new GroupDeletion(group, recovery.Folder, environment, static whenUnread => whenUnread(), done, WaitForRoom(environment)).Start();
            return;
        }

        // Its folder was gone already; the journal keeps what it holds of the group until it is told.
        environment.Journal.Append(new JournalRecord { Group = group, Deleted = true });
        environment.Journal.Flush();
        done();
    }

    /// <summary>
    /// Mends a group that did not start, with what other replicas have; null where that can't help: the journal's part of it is damaged, or its
    /// meta file is lost.
    /// </summary>
    public QuarantinedRepair? BeginRepair(GroupId group, GroupLogEnvironment environment) =>
        CanRepair(group) ? new QuarantinedRepair(_quarantined[group], environment) : null;

    /// <summary>Damaged are files of it that other replicas have as well.</summary>
    public bool CanRepair(GroupId group) => _quarantined.TryGetValue(group, out GroupRecovery? recovery) && recovery.IsRepairable;

    /// <summary>
    /// A journal file is due that holds entries of a group that waits for its repair. False: it can't let go of them. Not while its repair tries to
    /// start it.
    /// </summary>
    public bool ReleaseQuarantined(GroupId group, GroupLogEnvironment environment, long carriedBytesMax) =>
        _quarantined.TryGetValue(group, out GroupRecovery? recovery) && recovery.Release(environment, carriedBytesMax);

    /// <summary>A group that does not start gives up what the journal holds of it; the next start cuts its log there and heals it.</summary>
    public void GiveUp(GroupId group, IJournal journal)
    {
        if (_quarantined.TryGetValue(group, out GroupRecovery? recovery))
        {
            recovery.GiveUp();
        }

        journal.Append(new JournalRecord { Group = group, GivenUp = true });
    }

    /// <summary>The group was mended and starts.</summary>
    public void Mended(RecoveredGroup.Healthy group)
    {
        _quarantined.Remove(group.Group);
        _groups.Add(group.Group, group.Log);
    }

    /// <summary>It was mended and does not start after all.</summary>
    public static void Discard(RecoveredGroup.Healthy group) => group.Log.Close();

    /// <summary>Entries of a group that did not start, for another replica's repair: of what is whole here. False: it is not here.</summary>
    public bool TryReadQuarantined(
        GroupId group, LogIndex from, LogIndex to, int maxBytes, GroupLogEnvironment environment, Action<QuarantinedRead> done)
    {
        if (!_quarantined.TryGetValue(group, out GroupRecovery? recovery) || !recovery.IsRepairable)
        {
            return false;
        }

        environment.Disk.Submit(DiskLane.Background, new QuarantinedRead(recovery, from, to, maxBytes, done));
        return true;
    }

    void IJournalOwner.ReleaseWanted(GroupId group, LogIndex upTo)
    {
        if (_route is not null)
        {
            _route(group, upTo);
        }
        else
        {
            Find(group)?.ReleaseUpTo(upTo);
        }
    }

    void IJournalReplay.HardState(GroupId group, HardState state) => RecoveryOf(group)?.HardState(state);

    void IJournalReplay.Entries(GroupId group, IReadOnlyList<Entry> entries)
    {
        if (RecoveryOf(group) is not { } recovery)
        {
            return;
        }

        recovery.Entries(entries);
        FlushIfLarge();
    }

    void IJournalReplay.Commit(GroupId group, LogIndex commit) => RecoveryOf(group)?.Commit(commit);

    void IJournalReplay.SegmentsDurable(GroupId group, LogIndex index) => RecoveryOf(group)?.SegmentsDurable(index);

    void IJournalReplay.Reset(GroupId group, LogIndex index, Term term, bool keepsEntries) =>
        RecoveryOf(group)?.Reset(index, term, keepsEntries);

    void IJournalReplay.LogBase(GroupId group, LogIndex index) => RecoveryOf(group)?.LogBase(index);

    void IJournalReplay.Deleted(GroupId group)
    {
        if (_recoveries.TryGetValue(group, out GroupRecovery? recovery))
        {
            recovery.Deleted();
        }
        else
        {
            _strangers[group] = true;
        }
    }

    void IJournalReplay.Lost(GroupId group, LogIndex first, LogIndex last) => RecoveryOf(group)?.Lost(first, last);

    void IJournalReplay.Suspect(GroupId group, LogIndex from) => RecoveryOf(group)?.Suspect(from);

    void IJournalReplay.Settled(GroupId group) => RecoveryOf(group)?.Settled();

    void IJournalReplay.Damaged(GroupId group, LogIndex? cutFrom, JournalDamage damage, string report) =>
        RecoveryOf(group)?.JournalDamaged(cutFrom, damage, report);

    IEnumerable<GroupId> IJournalReplay.Groups => _recoveries.Keys;

    bool IJournalReplay.HasNoFiles(GroupId group) => _recoveries.TryGetValue(group, out GroupRecovery? recovery) && recovery.HasNoFiles;

    private void ScanFolder(string name)
    {
        string path = $"{GroupMeta.GroupsFolder}/{name}";
        if (GroupMeta.GroupOf(name) is not { } group)
        {
            throw new DamagedException(
                $"The folder '{path}' is none of ours: its name does not end in a group's incarnation. Move it out of the data folder.");
        }

        GroupFolder folder = new(_disk, path);
        if (folder.HasDeletedMark)
        {
            _leaving.Add(group, path);
            return;
        }

        if (!folder.HasMeta && folder.Segments.Count == 0 && folder.Bases.Count == 0 && folder.Newest.Count == 0)
        {
            // Its creation was not finished, so nothing was ever in it; or its deletion was, but for the name.
            GroupFolder.Remove(_disk, path);
            return;
        }

        GroupMeta? meta = folder.HasMeta ? GroupMeta.TryRead(_disk, path) : null;
        GroupRecovery recovery = new(_disk, group, folder, meta?.Group == group ? meta : null);
        recovery.SkipCut();
        _recoveries.Add(group, recovery);
    }

    private GroupRecovery? RecoveryOf(GroupId group)
    {
        if (_recoveries.TryGetValue(group, out GroupRecovery? recovery))
        {
            return recovery;
        }

        if (!_leaving.ContainsKey(group))
        {
            _strangers.TryAdd(group, false);
        }

        return null;
    }

    private void FlushIfLarge()
    {
        long pending = 0;
        foreach (GroupRecovery recovery in _recoveries.Values)
        {
            pending += recovery.PendingBytes;
        }

        if (pending <= _flushAtBytes)
        {
            return;
        }

        foreach (GroupRecovery recovery in _recoveries.Values)
        {
            recovery.Flush();
        }

        pending = 0;
        foreach (GroupRecovery recovery in _recoveries.Values)
        {
            pending += recovery.PendingBytes;
        }

        // What is left is not known to be committed; do not try again for every record.
        _flushAtBytes = Math.Max(_limits.PendingBytesMax, pending + (_limits.PendingBytesMax / 2));
    }

    private void FinishDeletions(Func<GroupId, string, GroupLogEnvironment> environmentOf)
    {
        foreach ((GroupId group, string path) in _leaving)
        {
            _deleted.Add(group);
            GroupLogEnvironment environment = environmentOf(group, path);
            new GroupDeletion(group, path, environment, static whenUnread => whenUnread(), static () => { }, WaitForRoom(environment)).StartMarked();
        }
    }

    private Action<DiskWork> WaitForRoom(GroupLogEnvironment environment) => work => _withoutRoom.Add((environment.Disk, work));
}
