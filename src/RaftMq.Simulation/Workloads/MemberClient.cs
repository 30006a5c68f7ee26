using RaftMq.Broker.Groups;
using RaftMq.Raft;
using RaftMq.Simulation.Checkers;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Workloads;

/// <summary>
/// A member of a consumer group, as a client library is one: joins, shares the partitions out when it leads, takes what it is given, keeps its
/// session, commits. Now and then it leaves, dies without a word, or stands still for longer than its session and then goes on as if nothing had happened.
/// </summary>
internal sealed class MemberClient(ClientSide clients, RandomSource random, string consumers, string name, SharedPartitions partitions)
{
    private const string Topic = "any";
    private const string Protocol = "range";
    private const int SessionMs = 6_000;
    private const int RebalanceMs = 2_000;

    /// <summary>Longer than the other members are waited for.</summary>
    private const int JoinTimeoutUs = 5_000_000;

    private readonly CoordinatorWay _way = new(clients, random.Split(), consumers);
    private MemberId _member = MemberId.None;
    private Generation _generation = Generation.None;

    /// <summary>By the last sync, which may be of an older generation than the last join.</summary>
    private IReadOnlyList<int> _owned = [];
    private Generation _ownedIn = Generation.None;

    /// <summary>So many partitions it shared out as leader of its generation; null: another one leads.</summary>
    private int? _led;

    private SimulationWorld World => clients.World;

    public void Start() => World.After(random.Next(1, 3_000_000), Join);

    private void Join()
    {
        if (clients.MembersAreLeaving)
        {
            End();
            return;
        }

        JoinRequest request = new()
        {
            Group = new ConsumerGroupId(consumers),
            Member = _member,
            ClientId = name,
            ClientHost = "",
            SessionTimeoutMs = SessionMs,
            RebalanceTimeoutMs = RebalanceMs,
            ProtocolType = "consumer",
            Protocols = [new MemberProtocol(Protocol, [1])],
            RequireKnownMember = random.OneIn(2),
        };
        if (_owned.Count > 0)
        {
            // What it did before is committed beside: perhaps when the next generation is fixed, and it has not heard of it.
            World.After(random.Next(10_000, 2_500_000), () => CommitOwned(static _ => { }));
        }

        long number = Asked();
        Ask<JoinResult>(
            (there, nowMs, reply) => there.Join(request, nowMs, reply),
            result =>
            {
                if (result is JoinResult.Joined joined)
                {
                    World.Totals.Joins++;
                    World.History.Add(new HistoryEvent.MemberJoined(consumers, number, joined.Generation.Value, joined.Member.Value, joined.Leader.Value));
                }
            },
            Joined, JoinTimeoutUs);
    }

    private void Joined(JoinResult? result)
    {
        switch (result)
        {
            case JoinResult.Joined joined:
                _member = joined.Member;
                _generation = joined.Generation;
                Sync(joined);
                break;
            case JoinResult.MemberIdRequired required:
                _member = required.Member;
                Join();
                break;
            case JoinResult.Refused { Reason: GroupRefusal.UnknownMember }:
                Forget();
                Later(Join);
                break;
            default:
                // Whose join is answered late, or never, may still believe in the generation before.
                Later(_owned.Count > 0 && random.OneIn(2) ? Commit : Join);
                break;
        }
    }

    private void Sync(JoinResult.Joined joined)
    {
        MemberAssignment[] assignments = [];
        _led = null;
        if (joined.Leader == _member)
        {
            _led = partitions.Count;
            Dictionary<string, IReadOnlyList<int>> made = [];
            for (int i = 0; i < joined.Members.Length; i++)
            {
                made[joined.Members[i].Member.Value] = [.. Enumerable.Range(0, partitions.Count).Where(p => p % joined.Members.Length == i)];
            }

            World.History.Add(new HistoryEvent.AssignmentMade(consumers, joined.Generation.Value, made));
            assignments = [.. made.Select(m => new MemberAssignment(new MemberId(m.Key), [.. m.Value.Select(p => (byte)p)]))];
        }

        SyncRequest request = new()
        {
            Group = new ConsumerGroupId(consumers),
            Generation = joined.Generation,
            Member = _member,
            Assignments = assignments,
        };
        (int generation, string member) = (joined.Generation.Value, _member.Value);
        Ask<SyncResult>(
            (there, nowMs, reply) => there.Sync(request, nowMs, reply),
            result =>
            {
                if (result is SyncResult.Synced synced)
                {
                    if (_led is { } count && generation == _generation.Value)
                    {
                        partitions.Made(generation, count);
                    }

                    World.History.Add(new HistoryEvent.MemberAssigned(consumers, generation, member, [.. synced.Assignment.Select(p => (int)p)]));
                }
            },
            Synced, JoinTimeoutUs);
    }

    private void Synced(SyncResult? result)
    {
        switch (result)
        {
            case SyncResult.Synced synced:
                _owned = [.. synced.Assignment.Select(p => (int)p)];
                _ownedIn = _generation;
                Later(Live);
                break;
            case SyncResult.Refused { Reason: var reason }:
                Again(reason);
                break;
            default:
                Later(Join);
                break;
        }
    }

    /// <summary>One beat of the heart, one commit; or an end of it.</summary>
    private void Live()
    {
        if (clients.MembersAreLeaving)
        {
            End();
            return;
        }

        bool mayGo = clients.HealedAtUs is null;
        if (_led < partitions.Count)
        {
            // Who leads looks how many there are, and has them shared out anew.
            Join();
        }
        else if (mayGo && random.OneIn(80))
        {
            Leave();
        }
        else if (mayGo && random.OneIn(120))
        {
            // Dies, and another process takes its place some time later.
            Forget();
            World.After(random.Next(500_000, 12_000_000), Join);
        }
        else if (mayGo && random.OneIn(60))
        {
            World.After(random.Next((SessionMs - 1_000) * 1_000, 15_000_000), Commit);
        }
        else if (random.OneIn(2))
        {
            Commit();
        }
        else
        {
            Beat();
        }
    }

    private void Beat() => Ask<HeartbeatResult>(
        (there, nowMs, reply) => reply.Complete(there.Heartbeat(new ConsumerGroupId(consumers), _generation, _member, instance: null, nowMs)),
        static _ => { },
        result =>
        {
            if (result is HeartbeatResult.Refused { Reason: var reason })
            {
                Again(reason);
            }
            else
            {
                Later(Live);
            }
        });

    private void Commit()
    {
        if (_owned.Count == 0)
        {
            Beat();
        }
        else
        {
            CommitOwned(result =>
            {
                if (result is OffsetCommitResult.Refused { Reason: var reason })
                {
                    Again(reason);
                }
                else
                {
                    Later(Live);
                }
            });
        }
    }

    /// <summary>For one of the partitions that it believes to own, in the generation in which it got them.</summary>
    private void CommitOwned(Action<OffsetCommitResult?> then)
    {
        if (_owned.Count == 0 || clients.MembersAreLeaving)
        {
            then(null);
            return;
        }

        int partition = _owned[random.Next(_owned.Count)];
        OffsetCommitRequest request = new()
        {
            Group = new ConsumerGroupId(consumers),
            Generation = _ownedIn,
            Member = _member,
            Offsets = [new OffsetToCommit(Topic, UInt128.Zero, partition, random.NextInt64(1_000_000), -1, "")],
        };
        long number = Asked();
        Ask<OffsetCommitResult>(
            (there, nowMs, reply) => there.CommitOffsets(request, nowMs, reply),
            result =>
            {
                if (result is OffsetCommitResult.Committed { Offsets: [OffsetCommitOutcome.Stored] })
                {
                    World.Totals.MemberCommits++;
                    World.History.Add(new HistoryEvent.MemberCommitted(
                        consumers, number, request.Generation.Value, request.Member.Value, partition, World.NowUs));
                }
            },
            then);
    }

    private void Leave() => AskToLeave(_ =>
    {
        Forget();
        World.After(random.Next(100_000, 5_000_000), Join);
    });

    /// <summary>Leaves until it is told that it has, for good.</summary>
    private void End()
    {
        if (_member != MemberId.None)
        {
            AskToLeave(result =>
            {
                if (result is not LeaveResult.Left)
                {
                    Later(End);
                }
            });
        }
    }

    private void AskToLeave(Action<LeaveResult?> then)
    {
        LeaveRequest request = new() { Group = new ConsumerGroupId(consumers), Members = [new LeavingMember(_member, null)] };
        Ask<LeaveResult>((there, nowMs, reply) => there.Leave(request, nowMs, reply), static _ => { }, then);
    }

    private void Again(GroupRefusal reason)
    {
        switch (reason)
        {
            case GroupRefusal.UnknownMember:
                Forget();
                Later(Join);
                break;
            case GroupRefusal.NotCoordinator or GroupRefusal.Busy:
                Later(_owned.Count > 0 ? Live : Join);
                break;
            default:
                Later(Join);
                break;
        }
    }

    private void Forget()
    {
        _member = MemberId.None;
        _generation = Generation.None;
        _owned = [];
    }

    private void Later(Action then) => World.After(random.Next(50_000, 600_000), then);

    private long Asked()
    {
        long number = World.Totals.Calls++;
        World.History.Add(new HistoryEvent.MemberAsked(consumers, number));
        return number;
    }

    /// <param name="observed">As the answer leaves the node.</param>
    /// <param name="answered">At the client; null when nothing came.</param>
    private void Ask<TResult>(
        Action<GroupCoordinator, long, IReply<TResult>> request, Action<TResult> observed, Action<TResult?> answered,
        int timeoutUs = ClientSide.RequestTimeoutUs)
        where TResult : class
    {
        if (_way.Find() is not { Node: var node })
        {
            World.After(random.Next(50_000, 300_000), () => answered(null));
            return;
        }

        bool isOver = false;
        void Once(TResult? result)
        {
            if (!isOver)
            {
                isOver = true;
                answered(result);
            }
        }

        _way.Request<TResult>(
            node, request,
            result =>
            {
                World.Trace.Add(World.NowUs, TraceKind.Observed, $"{name} of '{consumers}', {_generation}: {result}");
                observed(result);
                clients.Network.Answer(() => Once(result));
            },
            () => Once(null), timeoutUs);
    }
}
