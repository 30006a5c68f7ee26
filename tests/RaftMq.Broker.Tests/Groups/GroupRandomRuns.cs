using System.Globalization;
using RaftMq.Broker.Groups;
using RaftMq.Raft;
using RaftMq.Testing.Seeds;

namespace RaftMq.Broker.Tests.Groups;

/// <summary>
/// Members that come, go, die, lose answers and come back, over coordinators that fall, in virtual time. Checked on the way:
/// <list type="bullet">
/// <item>a generation has one leader, one set of members and one assignment per member, over all coordinators;</item>
/// <item>what a member is told was committed before it was told;</item>
/// <item>a read gives the newest acknowledged commit or a later one (PROGRESS, O-11, O-12);</item>
/// <item>at the end, with faults over, no join or sync waits, whoever died, and the living are in one stable generation (L-02).</item>
/// </list>
/// </summary>
public sealed class GroupRandomRuns
{
    [Fact]
    public void Promises_hold_in_random_runs()
    {
        int acknowledged = 0;
        int failovers = 0;
        int generations = 0;
        int replacements = 0;
        RandomRuns runs = RandomRuns.Go(shortForm: 200, longForm: 5_000, Run.Of, run =>
        {
            acknowledged += run.Acknowledged;
            failovers += run.Failovers;
            generations += run.Generations;
            replacements += run.Replacements;
        });

        runs.MustHaveSeen(acknowledged, 5, "commits acknowledged");
        runs.MustHaveSeen(failovers, 3, "failovers");
        runs.MustHaveSeen(generations, 5, "generations assigned");
        runs.MustHaveSeen(replacements, 1, "static members replaced");
    }

    private sealed class Run(ulong seed)
    {
        private const int StepsMax = 2_500;
        private static readonly OffsetKey Key = new("t", 0);

        private readonly RandomSource _random = new(seed);
        private readonly GroupWorld _world = new(new GroupsConfig { InitialRebalanceDelayMs = (int)(seed % 3) * 250 });
        private readonly List<Client> _clients = [];
        private readonly List<(Answer<JoinResult>? Join, Answer<SyncResult>? Sync)> _asked = [];
        private readonly Dictionary<int, MemberId> _leaderOf = [];
        private readonly Dictionary<int, string> _membersOf = [];
        private readonly Dictionary<(int Generation, string Member), string> _assignmentOf = [];
        private readonly List<(Answer<OffsetCommitResult> Answer, long Offset)> _commits = [];
        private readonly List<(Answer<OffsetFetchResult> Answer, long AtLeast)> _fetches = [];
        private long _offset;
        private long _acknowledged = -1;
        private long _ids;

        public int Step { get; private set; }

        public int Acknowledged { get; private set; }

        public int Failovers { get; private set; }

        public int Generations => _membersOf.Count;

        public int Replacements { get; private set; }

        public static Run Of(ulong seed)
        {
            Run run = new(seed);
            try
            {
                run.Go();
                return run;
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"at step {run.Step}: {e.Message}", e);
            }
        }

        private void Go()
        {
            for (Step = 0; Step < StepsMax; Step++)
            {
                Act();
                Observe();
            }

            Heal();
        }

        private void Act()
        {
            switch (_random.Next(40))
            {
                case 0 when _clients.Count < 5:
                    string? instance = _random.OneIn(2) ? $"i{_random.Next(3)}" : null;
                    Replacements += instance is not null && _clients.RemoveAll(other => other.Instance == instance) > 0 ? 1 : 0;
                    _clients.Add(new Client(instance));
                    break;
                case 1 when _clients.Count > 0 && _random.OneIn(3):
                    _clients.RemoveAt(_random.Next(_clients.Count));
                    break;
                case 2 when _clients.Count > 0 && _random.OneIn(3):
                    Client leaving = _clients[_random.Next(_clients.Count)];
                    _world.Leave(leaving.Member, leaving.Instance);
                    _clients.Remove(leaving);
                    break;
                case 3 when _random.OneIn(4):
                    Failovers++;
                    _world.Failover(_random.Next(4));
                    break;
                case 4:
                    _world.Proposer.IsBusy = _random.OneIn(6);
                    break;
                case 5:
                    _world.Pass(_random.Next(_random.OneIn(12) ? 12_000 : 700));
                    break;
                case 6 when _clients.Count > 0:
                    // The answer is lost on its way: the client asks again.
                    _clients[_random.Next(_clients.Count)].Forget();
                    break;
                case 7:
                    _fetches.Add((_world.Fetch(), _acknowledged));
                    break;
                case >= 8 and < 20 when _world.Proposer.Waiting > 0:
                    _world.Proposer.CommitOne();
                    break;
                default:
                    if (_clients.Count > 0)
                    {
                        Move(_clients[_random.Next(_clients.Count)], mayCommit: true);
                    }

                    break;
            }
        }

        private void Move(Client client, bool mayCommit)
        {
            if (client.Joining is { Result: { } joinResult } joining)
            {
                client.Joining = null;
                Joined(client, joining, joinResult);
            }
            else if (client.Syncing is { Result: { } syncResult })
            {
                client.Syncing = null;
                Synced(client, syncResult);
            }
            else if (client.Joining is null && client.Syncing is null)
            {
                if (client.Joined is null)
                {
                    Join(client);
                }
                else if (!client.IsAssigned)
                {
                    client.Syncing = _world.Sync(client.Joined, client.Instance, assignments: NewAssignments(client.Joined));
                    _asked.Add((null, client.Syncing));
                }
                else if (mayCommit && _random.OneIn(2))
                {
                    long offset = ++_offset;
                    _commits.Add((_world.CommitOffset(offset, client.Joined, instance: client.Instance), offset));
                }
                else
                {
                    Heard(client, _world.Heartbeat(client.Joined, client.Instance));
                }
            }
        }

        private void Join(Client client)
        {
            string metadata = _random.OneIn(6) ? "t,u" : "t";
            client.Joining = _world.Join(
                client.Member.Length == 0 ? null : client.Member,
                client.Instance,
                metadata,
                requireKnown: _random.OneIn(2),
                canSkip: _random.OneIn(2));
            _asked.Add((client.Joining, null));
        }

        private void Joined(Client client, Answer<JoinResult> answer, JoinResult result)
        {
            switch (result)
            {
                case JoinResult.Joined joined:
                    client.Joined = joined;
                    client.Member = joined.Member.Value;
                    client.IsAssigned = false;
                    break;
                case JoinResult.MemberIdRequired required:
                    client.Member = required.Member.Value;
                    break;
                default:
                    Refused(client, Assert.IsType<JoinResult.Refused>(answer.Result).Reason);
                    break;
            }
        }

        private void Synced(Client client, SyncResult result)
        {
            if (result is SyncResult.Refused refused)
            {
                Refused(client, refused.Reason);
                return;
            }

            client.IsAssigned = true;
            string assignment = System.Text.Encoding.UTF8.GetString(((SyncResult.Synced)result).Assignment);
            int generation = client.Joined!.Generation.Value;
            Assert.Equal(_assignmentOf.GetValueOrDefault((generation, client.AssignedAs), assignment), assignment);
            _assignmentOf[(generation, client.AssignedAs)] = assignment;
        }

        private void Heard(Client client, HeartbeatResult result)
        {
            if (result is HeartbeatResult.Refused refused)
            {
                Refused(client, refused.Reason);
            }
        }

        private void Refused(Client client, GroupRefusal reason)
        {
            switch (reason)
            {
                case GroupRefusal.UnknownMember:
                    client.Member = "";
                    client.Joined = null;
                    break;
                case GroupRefusal.FencedInstance:
                    _clients.Remove(client);
                    break;
                case GroupRefusal.NotCoordinator:
                    break;
                default:
                    Assert.True(reason is GroupRefusal.RebalanceInProgress or GroupRefusal.IllegalGeneration, $"{reason}");
                    client.Joined = null;
                    break;
            }
        }

        /// <summary>Names that no other call has, so that two assignments of a generation could be told apart.</summary>
        private MemberAssignment[] NewAssignments(JoinResult.Joined joined) =>
            [.. joined.Members.Select(m => new MemberAssignment(
                m.Member, GroupWorld.Bytes((++_ids).ToString(CultureInfo.InvariantCulture))))];

        private void Observe()
        {
            foreach (GroupEntry entry in _world.Committed)
            {
                if (entry is GroupEntry.GroupChanged { Record: { Phase: not GroupPhase.Empty } record })
                {
                    CheckRecord(record);
                }
            }

            _world.Committed.Clear();
            foreach ((Answer<JoinResult>? join, _) in _asked)
            {
                if (join?.Result is JoinResult.Joined joined)
                {
                    Assert.True(_leaderOf.ContainsKey(joined.Generation.Value), "told of a generation that is not committed");
                    Assert.True(joined.Generation.Value <= _world.Machine.Groups[GroupWorld.G].Record!.Generation.Value);
                }
            }

            _asked.RemoveAll(asked => asked.Join is { IsWaiting: false } || asked.Sync is { IsWaiting: false });
            foreach ((Answer<OffsetCommitResult> answer, long offset) in _commits)
            {
                if (answer.Result is OffsetCommitResult.Committed)
                {
                    answer.IsStored();
                    Acknowledged++;
                    _acknowledged = Math.Max(_acknowledged, offset);
                }
            }

            _commits.RemoveAll(commit => !commit.Answer.IsWaiting);
            long applied = _world.Machine.FindOffset(GroupWorld.G, Key, 0)?.Offset ?? -1;
            Assert.True(applied >= _acknowledged, $"acknowledged {_acknowledged}, holds {applied}");
            foreach ((Answer<OffsetFetchResult> answer, long atLeast) in _fetches)
            {
                if (answer.Result is OffsetFetchResult.Fetched fetched)
                {
                    long read = fetched.Offsets[0].Committed?.Offset ?? -1;
                    Assert.True(read >= atLeast, $"acknowledged {atLeast} before the read, read {read}");
                }
            }

            _fetches.RemoveAll(fetch => !fetch.Answer.IsWaiting);
        }

        private void CheckRecord(GroupRecord record)
        {
            int generation = record.Generation.Value;
            Assert.True(_leaderOf.Count == 0 || generation >= _leaderOf.Keys.Max(), "a generation came back");

            // A static member may be renamed within its generation; by instance it is the same.
            string Name(MemberRecord member) => member.Instance?.Value ?? member.Id.Value;
            string members = string.Join(' ', record.Members.Select(Name));
            Assert.Equal(_membersOf.GetValueOrDefault(generation, members), members);
            _membersOf[generation] = members;
            MemberRecord leader = record.Members.Single(member => member.Id == record.Leader);
            MemberId leaderName = new(Name(leader));
            Assert.Equal(_leaderOf.GetValueOrDefault(generation, leaderName), leaderName);
            _leaderOf[generation] = leaderName;
            if (record.Phase == GroupPhase.Stable)
            {
                foreach (MemberRecord member in record.Members)
                {
                    string assignment = System.Text.Encoding.UTF8.GetString(member.Assignment);
                    Assert.Equal(_assignmentOf.GetValueOrDefault((generation, Name(member)), assignment), assignment);
                    _assignmentOf[(generation, Name(member))] = assignment;
                }
            }
        }

        /// <summary>Faults end. Within the longest timeouts the living stand in one stable generation and nothing waits.</summary>
        private void Heal()
        {
            _world.Proposer.IsBusy = false;
            for (int i = 0; i < 2 * GroupWorld.RebalanceMs / 500; i++, Step++)
            {
                _world.Pass(500);
                _world.Commit();
                foreach (Client client in _clients.ToArray())
                {
                    for (int k = 0; k < 3; k++)
                    {
                        Move(client, mayCommit: false);
                        _world.Commit();
                    }
                }

                Observe();
            }

            Assert.Empty(_asked);
            Assert.Empty(_commits);
            Assert.Empty(_fetches);
            Assert.Equal(0, _world.Coordinator.ProposalsInFlight);
            Assert.All(_clients, client => Assert.True(client.IsAssigned && client.Joined is not null, "a living member has no assignment"));
            Assert.True(_clients.Select(client => client.Joined!.Generation).Distinct().Count() <= 1, "two generations at once");
            if (_world.Machine.TryGetGroup(GroupWorld.G, out GroupState? state) && state.Record is { } record)
            {
                Assert.Equal(_clients.Count == 0 ? GroupPhase.Empty : GroupPhase.Stable, record.Phase);
                Assert.Equal(_clients.Count, record.Members.Length);
            }

            GroupStateMachine.TryReadSnapshot(_world.Machine.WriteSnapshot(), out GroupStateMachine? copy, out _);
            Assert.Equal(_world.Machine.StateHash, copy!.StateHash);
        }
    }

    private sealed class Client(string? instance)
    {
        public string? Instance { get; } = instance;

        public string Member { get; set; } = "";

        public Answer<JoinResult>? Joining { get; set; }

        public Answer<SyncResult>? Syncing { get; set; }

        public JoinResult.Joined? Joined { get; set; }

        public bool IsAssigned { get; set; }

        public string AssignedAs => Instance ?? Member;

        public void Forget()
        {
            Joining = null;
            Syncing = null;
        }
    }
}
