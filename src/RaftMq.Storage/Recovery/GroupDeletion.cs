using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Recovery;

/// <summary>
/// Ends a group, each step durable before the next: a mark in its folder, the journal's record, the folder's end. A start after a
/// crash goes on from the mark; without it the group is still there.
/// </summary>
/// <param name="full">Takes the work for which there was no room, to be executed again.</param>
internal sealed class GroupDeletion(
    GroupId group, string folder, GroupLogEnvironment environment, Action<Action> whenUnread, Action done, Action<DiskWork> full)
    : IJournalWaiter
{
    public void Start() => environment.Disk.Submit(DiskLane.Background, new Marking(this));

    /// <summary>The mark is there already.</summary>
    public void StartMarked()
    {
        environment.Journal.Append(new JournalRecord { Group = group, Deleted = true, Waiter = this });
        environment.Journal.Flush();
    }

    void IJournalWaiter.Written(JournalRecord record) =>
        whenUnread(() => environment.Disk.Submit(DiskLane.Background, new Removal(this)));

    private sealed class Marking(GroupDeletion deletion) : DiskWork
    {
        public override void Execute(IDisk disk) => Mark(disk, deletion);

        public override void Complete() => deletion.StartMarked();

        public override void Full(DiskFullException fault) => deletion.Full(this);
    }

    private sealed class Removal(GroupDeletion deletion) : DiskWork
    {
        public override void Execute(IDisk disk) => GroupFolder.Remove(disk, deletion.Folder);

        public override void Complete() => deletion.Done();
    }

    private string Folder => folder;

    private void Done() => done();

    private void Full(DiskWork work) => full(work);

    private static void Mark(IDisk disk, GroupDeletion deletion)
    {
        // It is there when an earlier attempt found no room for its name.
        string path = $"{deletion.Folder}/{GroupMeta.DeletedMark}";
        using (IDiskFile file = disk.Open(path, disk.FileExists(path) ? DiskFileMode.Existing : DiskFileMode.CreateNew))
        {
            file.Sync();
        }

        disk.SyncFolder(deletion.Folder);
    }
}
