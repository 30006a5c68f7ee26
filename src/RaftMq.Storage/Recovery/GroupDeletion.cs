using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Recovery;

/// <summary>
/// Ends a group, each step durable before the next: a mark in its folder, the journal's record, the folder's end. A start after a
/// crash goes on from the mark; without it the group is still there.
/// </summary>
internal sealed class GroupDeletion(
    GroupId group, string folder, GroupLogEnvironment environment, Action<Action> whenUnread, Action done) : IJournalWaiter
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
    }

    private sealed class Removal(GroupDeletion deletion) : DiskWork
    {
        public override void Execute(IDisk disk) => GroupFolder.Remove(disk, deletion.Folder);

        public override void Complete() => deletion.Done();
    }

    private string Folder => folder;

    private void Done() => done();

    private static void Mark(IDisk disk, GroupDeletion deletion)
    {
        using (IDiskFile file = disk.Open($"{deletion.Folder}/{GroupMeta.DeletedMark}", DiskFileMode.CreateNew))
        {
            file.Sync();
        }

        disk.SyncFolder(deletion.Folder);
    }
}
