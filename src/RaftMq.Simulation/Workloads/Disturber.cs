using RaftMq.Broker.Controller;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;

namespace RaftMq.Simulation.Workloads;

/// <summary>What operators do while all runs: move leaderships, delete old records.</summary>
internal sealed class Disturber(
    ClientSide clients, WorkloadProfile profile, RandomSource random, IReadOnlyList<WorkPartition> partitions)
{
    private readonly Administrator _administrator = new(clients, random.Split());

    public void Start()
    {
        if (profile.TransferEveryUs > 0)
        {
            clients.World.After(random.Next(profile.TransferEveryUs), Transfer);
        }

        if (profile.DeleteRecordsEveryUs > 0)
        {
            clients.World.After(random.Next(profile.DeleteRecordsEveryUs), DeleteRecords);
        }

        if (profile.PurgeEveryUs > 0)
        {
            clients.World.After(random.Next(profile.PurgeEveryUs), Purge);
        }
    }

    private WorkPartition? Draw()
    {
        List<WorkPartition> open = [.. partitions.Where(p => !p.IsDeleted)];
        return open.Count == 0 ? null : open[random.Next(open.Count)];
    }

    private void Transfer()
    {
        if (clients.IsEnding)
        {
            return;
        }

        clients.World.After(random.Next(1, 2 * profile.TransferEveryUs), Transfer);
        if (Draw() is { } partition && clients.PartitionOf(partition.Topic, partition.Number, random) is { } info)
        {
            NodeId to = info.Replicas[random.Next(info.Replicas.Length)].Node;
            _administrator.Ask(
                new AdminCommand.TransferLeadership(partition.Topic, partition.Number, to),
                result =>
                {
                    if (result.Outcome == AdminOutcome.Done)
                    {
                        clients.World.Totals.Transfers++;
                    }
                },
                _ => { });
        }
    }

    private void DeleteRecords()
    {
        if (clients.IsEnding)
        {
            return;
        }

        clients.World.After(random.Next(1, 2 * profile.DeleteRecordsEveryUs), DeleteRecords);
        if (Draw() is { KnownEnd: > 0 } partition)
        {
            DeleteBefore(partition, random.OneIn(3) ? partition.KnownEnd : random.NextInt64(partition.KnownEnd) + 1);
        }
    }

    private void Purge()
    {
        if (clients.IsEnding)
        {
            return;
        }

        clients.World.After(random.Next(1, 2 * profile.PurgeEveryUs), Purge);
        if (partitions.FirstOrDefault(p => !p.IsDeleted) is { KnownEnd: > 0 } partition)
        {
            DeleteBefore(partition, partition.KnownEnd);
        }
    }

    private void DeleteBefore(WorkPartition partition, long before)
    {
        clients.World.History.Add(new HistoryEvent.DeleteRecordsStarted(partition.Group, before));
        _administrator.Ask(
            clients.LeaderOf(partition.Group, random).Node,
            new AdminCommand.DeleteRecords(partition.Topic, partition.Number, before),
            observed: null,
            _ => { });
    }
}
