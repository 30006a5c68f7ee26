using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Groups;
using RaftMq.Raft;

namespace RaftMq.Simulation.Workloads;

/// <summary>
/// Moves replicas between nodes while all runs, with one to five of them per partition; replaces movements that are under way by others and
/// cancels some. Often it moves back who has just left: whoever mistakes a former life of a replica for the new one is found there.
/// </summary>
internal sealed class Mover(
    ClientSide clients, WorkloadProfile profile, RandomSource random, IReadOnlyList<WorkPartition> partitions)
{
    private const int ReplicasMax = 5;

    /// <summary>A movement that is not over after some seconds is not taken back.</summary>
    private const int BackTriesMax = 30;
    private const int BackPollUs = 200_000;

    /// <summary>What consumer groups are told is kept by a majority of three is checked as such, so these have no fewer.</summary>
    private const int OffsetsReplicasMin = 3;

    private readonly Administrator _administrator = new(clients, random.Split());

    public void Start()
    {
        if (profile.MoveEveryUs > 0)
        {
            clients.World.After(random.Next(profile.MoveEveryUs), Move);
        }
    }

    private void Move()
    {
        if (clients.IsEnding)
        {
            return;
        }

        clients.World.After(random.Next(1, 2 * profile.MoveEveryUs), Move);
        if (clients.Unwell is not null)
        {
            // What is owed meanwhile is judged by who has replicas.
            return;
        }

        if (Draw() is not { } drawn || clients.PartitionOf(drawn.Topic, drawn.Partition, random) is not { } info)
        {
            return;
        }

        // One more, a while later, often finds the first under way.
        ImmutableArray<NodeId>? target = random.OneIn(8) ? null : Target(info, drawn.ReplicasMin);
        Ask(drawn.Topic, drawn.Partition, target);
        if (target is { } to && random.OneIn(2))
        {
            BackWhenOver(drawn.Topic, drawn.Partition, to, [.. info.Replicas.Select(r => r.Node)], BackTriesMax);
        }

        if (random.OneIn(3))
        {
            clients.World.After(random.Next(1_000, 400_000), () => Ask(drawn.Topic, drawn.Partition, random.OneIn(3) ? null : Target(info, drawn.ReplicasMin)));
        }
    }

    /// <summary>Some nodes hear that a replica left, and that it is back, long after its group has made it a member again.</summary>
    private void BackWhenOver(string topic, int partition, ImmutableArray<NodeId> to, ImmutableArray<NodeId> before, int tries) =>
        clients.World.After(random.Next(1_000, BackPollUs), () =>
        {
            if (clients.IsEnding || clients.Unwell is not null)
            {
                return;
            }

            if (clients.PartitionOf(topic, partition, random) is { IsMoving: false } now && now.Replicas.Select(r => r.Node).SequenceEqual(to))
            {
                Ask(topic, partition, before);
            }
            else if (tries > 0)
            {
                BackWhenOver(topic, partition, to, before, tries - 1);
            }
        });

    private (string Topic, int Partition, int ReplicasMin)? Draw()
    {
        List<WorkPartition> open = [.. partitions.Where(p => !p.IsDeleted)];
        if (open.Count == 0)
        {
            return null;
        }

        WorkPartition partition = open[random.Next(open.Count)];
        return random.OneIn(8) ? (OffsetsTopic.Name, random.Next(2), OffsetsReplicasMin) : (partition.Topic, partition.Number, 1);
    }

    /// <summary>Any set; mostly one that differs by one node, as operators' do.</summary>
    private ImmutableArray<NodeId> Target(PartitionInfo info, int replicasMin)
    {
        List<NodeId> all = [.. clients.Nodes.Select(n => n.Id)];
        List<NodeId> to = [.. info.Replicas.Select(r => r.Node)];
        if (random.OneIn(3))
        {
            Shuffle(all);
            return [.. all.Take(random.Next(replicasMin, Math.Min(ReplicasMax, all.Count) + 1))];
        }

        List<NodeId> others = [.. all.Except(to)];
        if (to.Count > replicasMin && random.OneIn(2))
        {
            to.RemoveAt(random.Next(to.Count));
        }

        if (others.Count > 0 && to.Count < ReplicasMax && random.Next(4) > 0)
        {
            to.Insert(random.Next(to.Count + 1), others[random.Next(others.Count)]);
        }

        return [.. to];
    }

    private void Ask(string topic, int partition, ImmutableArray<NodeId>? to) => _administrator.Ask(
        new AdminCommand.Reassign(topic, partition, to),
        result =>
        {
            if (result.Outcome == AdminOutcome.Done)
            {
                clients.World.Totals.Moves++;
                clients.World.Trace.Add(
                    clients.World.NowUs, World.TraceKind.Request,
                    $"moves {topic}/{partition} to {(to is { } nodes ? string.Join(',', nodes) : "where it was")}");
            }
        },
        _ => { });

    private void Shuffle(List<NodeId> nodes)
    {
        for (int i = nodes.Count - 1; i > 0; i--)
        {
            int other = random.Next(i + 1);
            (nodes[i], nodes[other]) = (nodes[other], nodes[i]);
        }
    }
}
