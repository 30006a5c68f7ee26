using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Recovery;

/// <summary>Is given a new group's log, inside the section, when its folder is durable.</summary>
public interface IGroupCreationWaiter
{
    void GroupCreated(GroupId group, GroupLog log, RaftStart raft);
}

/// <summary>Makes a group's folder and meta file durable. May be executed again when there was no room.</summary>
internal sealed class GroupCreation(GroupMeta meta, Action done, Action<DiskWork> full) : DiskWork
{
    public override void Execute(IDisk disk) => meta.Write(disk);

    public override void Complete() => done();

    public override void Full(DiskFullException fault) => full(this);
}
