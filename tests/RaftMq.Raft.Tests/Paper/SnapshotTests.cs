using RaftMq.Raft.Tests.Support;
using static RaftMq.Raft.Tests.Support.Rig;

namespace RaftMq.Raft.Tests.Paper;

/// <summary>Raft 7; dissertation 5. A snapshot is a name and an index here.</summary>
public sealed class SnapshotTests
{
    /// <summary>Raft 7: the leader has discarded the next entry that it needs to send.</summary>
    [Fact]
    public void Follower_behind_the_logs_start_is_handed_a_snapshot_and_then_what_follows_it()
    {
        Rig rig = new Rig().Lead().Persist();
        rig.Hear(2, new AppendAccepted(T(1), I(1)));
        rig.Host.Propose("a");
        rig.Host.Propose("b");
        rig.Host.Propose("c");
        rig.Persist().Hear(2, new AppendAccepted(T(1), I(4)));
        rig.Host.CutLogTo(I(3));
        rig.Take<AppendEntries>(3);

        rig.Hear(3, new HeartbeatReply(T(1), 0, I(0)));
        Assert.Equal(N(3), Assert.Single(rig.Host.SnapshotsAsked));
        rig.Host.SendSnapshot();
        InstallSnapshot offer = Assert.Single(rig.Take<InstallSnapshot>(3));
        Assert.Equal((I(3), T(1)), (offer.SnapshotIndex, offer.SnapshotTerm));
        Assert.Empty(rig.Take<AppendEntries>(3));

        rig.Hear(3, new SnapshotReply(T(1), I(3), Installed: true));
        AppendEntries next = Assert.Single(rig.Take<AppendEntries>(3));
        Assert.Equal((I(3), T(1)), (next.PreviousIndex, next.PreviousTerm));
        Assert.Equal(I(4), Assert.Single(next.Entries).Index);
    }

    /// <summary>Raft 7: the follower discards its log, which the snapshot supersedes; dissertation 5.1: with the configuration in it.</summary>
    [Fact]
    public void Snapshot_takes_the_place_of_a_log_that_lacks_it_and_is_acknowledged_when_it_is_installed()
    {
        Rig rig = new(setup: disk => disk.Write(new HardState(T(1), null), [E(1, 1), E(2, 1)]));
        Membership then = Membership.Of(N(1), N(2), N(4));
        rig.Hear(2, new InstallSnapshot(T(2), I(5), T(2), then)).Persist();
        Assert.NotNull(rig.Host.ToInstall);
        Assert.Empty(rig.Take<SnapshotReply>(2));
        Assert.Equal(I(2), rig.Group.LastIndex);

        rig.Host.Install(succeeds: true);
        rig.Persist();
        Assert.True(Assert.Single(rig.Take<SnapshotReply>(2)).Installed);
        Assert.Equal((I(5), I(5), I(5)), (rig.Group.LastIndex, rig.Group.DurableIndex, rig.Group.CommitIndex));
        Assert.Equal(then, rig.Group.Membership);
    }

    /// <summary>Raft 7: entries that follow the snapshot are retained where the log has its last entry.</summary>
    [Fact]
    public void Snapshot_whose_last_entry_is_in_the_log_cuts_nothing()
    {
        Rig rig = new(setup: disk => disk.Write(new HardState(T(1), null), [E(1, 1), E(2, 1), E(3, 1), E(4, 1)]));
        rig.Hear(2, new InstallSnapshot(T(2), I(3), T(1), rig.Group.Membership)).Persist();

        Assert.Null(rig.Host.ToInstall);
        Assert.True(Assert.Single(rig.Take<SnapshotReply>(2)).Installed);
        Assert.Equal((I(4), I(3)), (rig.Group.LastIndex, rig.Group.CommitIndex));
    }
}
