using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Wire.Client;

/// <summary>
/// Finds the brokers of a cluster from any of them and keeps one connection to each that is used. Leaders are asked for when they are not
/// known and again after <see cref="Forget"/>, which is what to call on a retriable error of a partition. Retries are the caller's.
/// </summary>
public sealed class KafkaCluster : IAsyncDisposable
{
    private readonly IReadOnlyList<KafkaEndpoint> bootstrap;
    private readonly KafkaConnectionOptions options;
    private readonly SemaphoreSlim changing = new(1, 1);

    // Written under changing. Connections are few: one per broker, and one that found the cluster.
    private readonly Dictionary<KafkaEndpoint, KafkaConnection> connections = [];

    // Written under changing: where the last connection failed, or could not be made.
    private readonly HashSet<KafkaEndpoint> failing = [];
    private volatile bool answered;
    private readonly SortedSet<string> topics = new(StringComparer.Ordinal);
    private volatile ClusterView? view;

    public KafkaCluster(IReadOnlyList<KafkaEndpoint> bootstrap, KafkaConnectionOptions options)
    {
        this.bootstrap = bootstrap;
        this.options = options;
    }

    /// <summary>The last metadata, or null before the first and after <see cref="Forget"/>.</summary>
    public ClusterView? View => view;

    /// <summary>The connection to a broker, made if there is none that is open.</summary>
    /// <exception cref="KafkaConnectionException">The node is unknown or cannot be reached.</exception>
    public async Task<KafkaConnection> GetConnectionAsync(int nodeId, CancellationToken cancellationToken)
    {
        ClusterView current = view ?? await RefreshAsync([], cancellationToken).ConfigureAwait(false);
        if (!current.Brokers.TryGetValue(nodeId, out KafkaEndpoint endpoint))
        {
            throw new KafkaConnectionException($"node {nodeId} is not in the cluster's metadata");
        }

        return await ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Any broker that answers: one that is connected, else of the known ones, else of the first addresses; those that failed last are tried last,
    /// as one that is gone or silent costs the whole time that a connection may take.
    /// </summary>
    /// <exception cref="KafkaConnectionException">None can be reached; the message names all that were tried, with each reason once.</exception>
    public async Task<KafkaConnection> GetAnyConnectionAsync(CancellationToken cancellationToken)
    {
        KafkaConnectionException? last = null;
        List<KafkaEndpoint> tried = await InOrderAsync(cancellationToken).ConfigureAwait(false);
        List<string> reasons = [];
        Dictionary<KafkaEndpoint, KafkaConnectionException> faults = [];
        foreach (KafkaEndpoint endpoint in tried)
        {
            try
            {
                return await ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
            }
            catch (KafkaConnectionException wrong)
            {
                last = wrong;
                faults[endpoint] = wrong;
                string prefix = $"{endpoint}: ";
                reasons.Add(wrong.Message.StartsWith(prefix, StringComparison.Ordinal) ? wrong.Message[prefix.Length..] : wrong.Message);
            }
        }

        string why = tried.Count switch
        {
            0 => "no address of a broker was given",
            1 => last!.Message,
            _ => $"no broker answers at {string.Join(", ", tried)}: {string.Join("; ", reasons.Distinct(StringComparer.Ordinal))}",
        };
        throw new KafkaConnectionException(why, last) { NothingAnswered = !answered, Tried = faults };
    }

    /// <summary>The node that leads a partition; asks for metadata if it is not known. Null while the partition has no leader or does not exist.</summary>
    public async Task<int?> FindLeaderAsync(string topic, int partition, CancellationToken cancellationToken)
    {
        if (view?.TryFindLeader(topic, partition, out int nodeId) == true)
        {
            return nodeId;
        }

        ClusterView fresh = await RefreshAsync([topic], cancellationToken).ConfigureAwait(false);
        return fresh.TryFindLeader(topic, partition, out nodeId) ? nodeId : null;
    }

    /// <summary>The partition was led from elsewhere: the next question asks a broker again.</summary>
    public void Forget() => view = null;

    /// <summary>The connection to the controller, for requests that change the cluster.</summary>
    public async Task<KafkaConnection> GetControllerAsync(CancellationToken cancellationToken)
    {
        ClusterView fresh = await RefreshAsync([], cancellationToken).ConfigureAwait(false);
        return fresh.ControllerId >= 0
            ? await GetConnectionAsync(fresh.ControllerId, cancellationToken).ConfigureAwait(false)
            : throw new KafkaConnectionException("the cluster has no controller now");
    }

    /// <summary>Asks for brokers, controller, and the topics asked for so far and now.</summary>
    public async Task<ClusterView> RefreshAsync(IReadOnlyCollection<string> moreTopics, CancellationToken cancellationToken)
    {
        KafkaConnection connection = await GetAnyConnectionAsync(cancellationToken).ConfigureAwait(false);
        MetadataRequest ask;
        lock (topics)
        {
            topics.UnionWith(moreTopics);

            // Version 0 has no "no topics": an empty list is all of them, which does no harm.
            ask = new MetadataRequest
            {
                Topics = [.. topics.Select(name => new MetadataRequest.Topic { Name = name })],
                AllowAutoTopicCreation = false,
            };
        }

        using KafkaReply<MetadataResponse> reply = await connection.SendAsync(ask, cancellationToken).ConfigureAwait(false);
        ClusterView fresh = ViewOf(reply.Message);
        view = fresh;
        return fresh;
    }

    public async ValueTask DisposeAsync()
    {
        await changing.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        foreach (KafkaConnection connection in connections.Values)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }

        connections.Clear();
        changing.Dispose();
    }

    private static ClusterView ViewOf(MetadataResponse answer)
    {
        Dictionary<int, KafkaEndpoint> brokers = [];
        foreach (MetadataResponse.Broker broker in answer.Brokers)
        {
            brokers[broker.NodeId] = new KafkaEndpoint(broker.Host, broker.Port);
        }

        Dictionary<string, int> counts = new(StringComparer.Ordinal);
        Dictionary<(string, int), int> leaders = [];
        foreach (MetadataResponse.Topic topic in answer.Topics)
        {
            if (topic.Name is null || topic.Error != KafkaError.None)
            {
                continue;
            }

            counts[topic.Name] = topic.Partitions.Length;
            foreach (MetadataResponse.Partition partition in topic.Partitions)
            {
                leaders[(topic.Name, partition.Index)] = partition.LeaderId;
            }
        }

        return new ClusterView(answer.ControllerId, brokers, counts, leaders);
    }

    private async Task<List<KafkaEndpoint>> InOrderAsync(CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return
            [
                .. (view?.Brokers.Values ?? []).Concat(bootstrap).Distinct().OrderBy(endpoint =>
                    connections.TryGetValue(endpoint, out KafkaConnection? known) ? (known.IsOpen ? 0 : 2)
                    : failing.Contains(endpoint) ? 2
                    : 1),
            ];
        }
        finally
        {
            changing.Release();
        }
    }

    private async Task<KafkaConnection> ConnectAsync(KafkaEndpoint endpoint, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (connections.TryGetValue(endpoint, out KafkaConnection? known))
            {
                if (known.IsOpen)
                {
                    return known;
                }

                connections.Remove(endpoint);
                await known.DisposeAsync().ConfigureAwait(false);
            }

            failing.Add(endpoint);
            KafkaConnection made = await KafkaConnection.ConnectAsync(endpoint, options, cancellationToken).ConfigureAwait(false);
            failing.Remove(endpoint);
            connections.Add(endpoint, made);
            answered = true;
            return made;
        }
        finally
        {
            changing.Release();
        }
    }
}
