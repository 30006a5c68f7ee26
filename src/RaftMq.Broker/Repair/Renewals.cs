using RaftMq.Broker.Controller;
using RaftMq.Broker.Movement;
using RaftMq.Broker.Shards;
using RaftMq.Raft;

namespace RaftMq.Broker.Repair;

/// <summary>
/// Replicas that can't be mended where they are: their state diverged, or what is left of them does not tell what they had. The controller is asked for
/// each, again and again until its state says so, to have it leave its group and come back without anything. Until it is out what it holds counts, and
/// stays. The controller's own group, which knows of these movements, is in none of them: it keeps its whole log, and a replica whose state diverged makes
/// it again from that. One of which the folder is lost has none; there a node must be removed and join again.
/// </summary>
/// <param name="isBeyondRepair">Of a group that does not run here.</param>
internal sealed class Renewals(
    Shard shard, DamageRegister damages, Movements movements, Func<GroupId, bool> isBeyondRepair, Action<ControllerRequest> tell)
{
    private const int TellEveryMs = 500;

    private long _nextMs;

    public void Tick(long nowMs)
    {
        if (nowMs < _nextMs)
        {
            return;
        }

        _nextMs = nowMs + TellEveryMs;
        foreach (DamagedGroup damaged in damages.All)
        {
            if (shard.Find(damaged.Group) is { IsRebuildable: true } rebuildable)
            {
                if (!PlantedBug.DivergedKept)
                {
                    rebuildable.Rebuild();
                }

                continue;
            }

            if (movements.PlaceOf(damaged.Group) is not var (topicId, partition))
            {
                continue;
            }

            bool isDue = shard.Find(partition.Group) is { } replica ? replica.IsFenced && !PlantedBug.DivergedKept : isBeyondRepair(damaged.Group);
            if (isDue)
            {
                tell(new ControllerRequest.MakeAnew(topicId, partition.Number, partition.Epoch, shard.Context.Self.Replica));
            }
        }
    }
}
