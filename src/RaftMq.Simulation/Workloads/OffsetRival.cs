using RaftMq.Broker.Groups;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>One of several who commit and fetch the same offset of the same group, up and down, as an operator's tools do beside each other.</summary>
internal sealed class OffsetRival(ClientSide clients, WorkloadProfile profile, RandomSource random, string consumers, string topic)
{
    private const int LostMax = 12;

    private readonly CoordinatorWay _way = new(clients, random.Split(), consumers);
    private int _lost;

    private SimulationWorld World => clients.World;

    public void Start() => World.After(random.Next(1, profile.RivalEveryUs), Next);

    private void Later() => World.After(random.Next(1, profile.RivalEveryUs), Next);

    private void Next()
    {
        if (clients.IsEnding || _lost >= LostMax)
        {
            return;
        }

        if (_way.Find() is not { Node: var node })
        {
            Later();
        }
        else if (random.OneIn(2))
        {
            Commit(node);
        }
        else
        {
            Fetch(node);
        }
    }

    private void Commit(SimulatedNode node)
    {
        // Another one each time, and never 0: in no order.
        long offset = ((World.Totals.Calls * 7_919) % 1_000_003) + 1;
        long call = Begin(new ObjectCall.Commit(offset));
        OffsetCommitRequest request = new()
        {
            Group = new ConsumerGroupId(consumers),
            Generation = Generation.None,
            Member = MemberId.None,
            Offsets = [new OffsetToCommit(topic, UInt128.Zero, 0, offset, -1, "")],
        };
        Call<OffsetCommitResult>(call, node, (there, nowMs, reply) => there.CommitOffsets(request, nowMs, reply), result =>
            result is OffsetCommitResult.Committed { Offsets: [OffsetCommitOutcome.Stored] } ? new ObjectState(0, offset) : null);
    }

    private void Fetch(SimulatedNode node)
    {
        long call = Begin(new ObjectCall.Read());
        OffsetFetchRequest request = new()
        {
            Group = new ConsumerGroupId(consumers),
            Offsets = [new OffsetToFetch(topic, UInt128.Zero, 0)],
        };
        Call<OffsetFetchResult>(call, node, (there, nowMs, reply) => there.FetchOffsets(request, nowMs, reply), result =>
            result is OffsetFetchResult.Fetched { Offsets: [FetchedOffset found] } ? new ObjectState(0, found.Committed?.Offset ?? 0) : null);
    }

    private long Begin(ObjectCall what)
    {
        long call = World.Totals.Calls++;
        World.Trace.Add(World.NowUs, TraceKind.Request, $"call {call} of '{consumers}': {what}");
        World.History.Add(new HistoryEvent.CallStarted(call, $"offset of '{consumers}'", what));
        return call;
    }

    /// <param name="found">What the answer says; null when it is a refusal, after which anything may have happened.</param>
    private void Call<TResult>(
        long call, SimulatedNode node, Action<GroupCoordinator, long, IReply<TResult>> request, Func<TResult, ObjectState?> found)
    {
        bool isOver = false;
        bool isTold = false;
        void Over()
        {
            if (!isOver)
            {
                isOver = true;
                if (!isTold)
                {
                    _lost++;
                    World.History.Add(new HistoryEvent.CallLost(call));
                }

                Later();
            }
        }

        _way.Request(node, request, result =>
        {
            ObjectState? state = found(result);
            World.Trace.Add(World.NowUs, TraceKind.Observed, $"call {call}: {state}");
            if (state is { } there && !isOver)
            {
                isTold = true;
                World.History.Add(new HistoryEvent.CallEnded(call, CallOutcome.Done, there));
            }

            clients.Network.Answer(Over);
        }, Over);
    }
}
