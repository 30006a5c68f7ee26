using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Cli.Brokers;

/// <summary>Sends one batch again and again, as the same bytes with the same sequence, until it is acknowledged, refused or too late.</summary>
internal sealed class BatchSender(KafkaCluster cluster, string topic, WatchedWait wait)
{
    /// <summary>For replicas that are slow.</summary>
    private const int ProduceTimeoutMs = 5_000;

    private static readonly TimeSpan RetryTime = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Connections that can be waited for: a leader whose machine is gone, or that stands still, is left after its own deadline and two seconds
    /// for the way. Another one was elected meanwhile.
    /// </summary>
    public static KafkaConnectionOptions Limited(KafkaConnectionOptions options) => options with
    {
        RequestTimeout = TimeSpan.FromMilliseconds(ProduceTimeoutMs + 2_000),
        ConnectTimeout = TimeSpan.FromSeconds(5),
    };

    /// <returns>Acknowledged, or refused.</returns>
    /// <exception cref="TimeoutException">Neither in time; the message is a sentence.</exception>
    public async Task<SendAnswer> SendAsync(int partition, ReadOnlyMemory<byte> batch, CancellationToken cancellation)
    {
        string lastFault = "no answer yet";
        bool mayBeStored = false;
        return await wait.RunAsync(
            async ending =>
            {
                while (true)
                {
                    SendAnswer answer = await TrySendAsync(partition, batch, ending);
                    mayBeStored |= answer.MayBeStored;
                    if (answer.IsAcknowledged || answer.IsRefused)
                    {
                        return answer.IsAcknowledged ? answer : answer with { MayBeStored = mayBeStored };
                    }

                    lastFault = answer.Why;
                    cluster.Forget();
                    await Task.Delay(RetryTime, ending);
                }
            },
            time => $"{topic}/{partition} has acknowledged nothing for {time}: {lastFault}",
            cancellation);
    }

    private async Task<SendAnswer> TrySendAsync(int partition, ReadOnlyMemory<byte> batch, CancellationToken cancellation)
    {
        bool sent = false;
        try
        {
            if (await cluster.FindLeaderAsync(topic, partition, cancellation) is not { } leader)
            {
                return SendAnswer.Of(KafkaError.LeaderNotAvailable, message: null);
            }

            KafkaConnection connection = await cluster.GetConnectionAsync(leader, cancellation);
            var ask = new ProduceRequest
            {
                Acks = -1,
                TimeoutMs = ProduceTimeoutMs,
                Topics =
                [
                    new ProduceRequest.Topic
                    {
                        Name = topic,
                        Partitions = [new ProduceRequest.Partition { Index = partition, Records = new RecordBytes(batch) }],
                    },
                ],
            };
            sent = true;
            using KafkaReply<ProduceResponse> reply = await connection.SendAsync(ask, cancellation);
            ProduceResponse.Partition answer = reply.Message.Topics.Single().Partitions.Single();
            return SendAnswer.Of(answer.Error, answer.ErrorMessage);
        }
        catch (KafkaConnectionException failed)
        {
            return new SendAnswer(KafkaError.NetworkException, failed.Message) { MayBeStored = sent };
        }
    }
}
