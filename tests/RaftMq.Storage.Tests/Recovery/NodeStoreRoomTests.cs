using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;

namespace RaftMq.Storage.Tests.Recovery;

public sealed class NodeStoreRoomTests : IGroupCreationWaiter, IJournalOwner
{
    private readonly SimulatedDisk _disk = new(new RandomSource(1));
    private readonly List<GroupId> _created = [];

    /// <summary>D-11: red when a full disk ends the node that a new partition is placed on.</summary>
    [Fact]
    public void Group_that_finds_no_room_is_made_once_there_is_some()
    {
        SteppedDiskQueue queue = new(_disk);
        NodeStore store = NodeStore.Scan(_disk, new NodeStoreLimits());
        NodeJournal journal = JournalRecovery.Open(_disk, new JournalOptions(), new StoreId(9), store, queue, this);
        GroupLogEnvironment environment = new(queue, journal, new TailPool());
        store.Finish((_, _) => environment);
        queue.RunAll();
        _disk.CapacityBytesMax = _disk.UsedBytes;

        GroupId group = new(7);
        store.CreateGroup(group, "orders-0", Membership.Of([new ReplicaId(new NodeId(1), new StoreId(9))]), environment, this);
        queue.RunAll();
        store.TryAgain();
        queue.RunAll();
        Assert.Empty(_created);
        Assert.Equal(1, store.WithoutRoomCount);

        _disk.CapacityBytesMax = long.MaxValue;
        store.TryAgain();
        queue.RunAll();
        Assert.Equal([group], _created);
        Assert.Equal(0, store.WithoutRoomCount);
        Assert.NotNull(store.Find(group));
    }

    void IGroupCreationWaiter.GroupCreated(GroupId group, GroupLog log, RaftStart raft) => _created.Add(group);

    void IJournalOwner.ReleaseWanted(GroupId group, LogIndex upTo) => throw new NotSupportedException();
}
