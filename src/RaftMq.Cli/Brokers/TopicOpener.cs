using System.Globalization;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Cli.Brokers;

/// <summary>
/// Finds a topic, or has it made where the cluster does that, and gets a producer id. Nodes that are away are waited for, as a connection that
/// breaks and an answer that passes are.
/// </summary>
internal sealed class TopicOpener(KafkaCluster cluster, string topic, WatchedWait wait, FirstContact contact)
{
    private static readonly TimeSpan RetryTime = TimeSpan.FromMilliseconds(100);

    /// <summary>Why the last try was in vain: the end of a sentence.</summary>
    private string lastFault = "";

    /// <exception cref="CommandFailedException">There is no such topic.</exception>
    /// <exception cref="KafkaConnectionException">The addresses are none of brokers.</exception>
    /// <exception cref="TimeoutException">Not in time; the message is a sentence.</exception>
    public async Task<WritableTopic> OpenAsync(CancellationToken cancellation)
    {
        int partitions = await wait.RunAsync(PartitionsAsync, time => $"{topic} can't be written for {time}: {lastFault}", cancellation);
        InitProducerIdResponse given = await wait.RunAsync(ProducerIdAsync, time => $"no producer id is given for {time}: {lastFault}", cancellation);
        return new WritableTopic(partitions, given.ProducerId, given.ProducerEpoch, await BatchBytesMaxAsync(cancellation));
    }

    private async Task<int> PartitionsAsync(CancellationToken cancellation)
    {
        MetadataResponse.Topic found = await AgainAsync(
            async connection =>
            {
                var ask = new MetadataRequest { Topics = [new MetadataRequest.Topic { Name = topic }], AllowAutoTopicCreation = true };
                using KafkaReply<MetadataResponse> reply = await connection.SendAsync(ask, cancellation);
                MetadataResponse.Topic answer = reply.Message.Topics.Single();
                if (answer.Error == KafkaError.None && answer.Partitions.Length > 0)
                {
                    return answer;
                }

                if (answer.Error == KafkaError.InvalidTopic)
                {
                    throw new CommandFailedException($"{topic} can't be written: {ErrorWords.OfName(topic, message: null)}.");
                }

                lastFault = answer.Error == KafkaError.None ? "it has no partitions yet" : ErrorWords.Of(answer.Error, message: null);
                return answer.Error == KafkaError.None || KafkaErrors.IsRetriable(answer.Error)
                    ? null
                    : throw new CommandFailedException(ExitCodes.NotFound, $"{topic} can't be written: {lastFault}.");
            },
            cancellation);
        return found.Partitions.Length;
    }

    private Task<InitProducerIdResponse> ProducerIdAsync(CancellationToken cancellation) => AgainAsync(
        async connection =>
        {
            var ask = new InitProducerIdRequest { TransactionTimeoutMs = 60_000 };
            using KafkaReply<InitProducerIdResponse> reply = await connection.SendAsync(ask, cancellation);
            if (reply.Message.Error == KafkaError.None)
            {
                return reply.Message;
            }

            lastFault = ErrorWords.Of(reply.Message.Error, message: null);
            return KafkaErrors.IsRetriable(reply.Message.Error)
                ? null
                : throw new CommandFailedException($"No producer id was given: {lastFault}.");
        },
        cancellation);

    /// <param name="ask">Null: the answer is one that passes.</param>
    /// <param name="cancellation">Ends the tries.</param>
    private async Task<T> AgainAsync<T>(Func<KafkaConnection, Task<T?>> ask, CancellationToken cancellation)
        where T : class
    {
        lastFault = "no broker has answered yet";
        while (true)
        {
            try
            {
                if (await ask(await cluster.GetAnyConnectionAsync(cancellation)) is { } answer)
                {
                    return answer;
                }
            }
            catch (KafkaConnectionException broken)
            {
                if (!await contact.MayHealAsync(broken, cancellation))
                {
                    throw;
                }

                lastFault = broken.Message;
            }

            await Task.Delay(RetryTime, cancellation);
        }
    }

    private async Task<int?> BatchBytesMaxAsync(CancellationToken cancellation)
    {
        try
        {
            IReadOnlyList<TopicSetting> settings = await wait.RunAsync(
                ending => new TopicReader(cluster).SettingsAsync(topic, ending),
                time => $"the settings of {topic} are not told for {time}",
                cancellation);
            return int.TryParse(
                settings.FirstOrDefault(setting => setting.Name == RefusalWords.LargestBatch)?.Value,
                NumberStyles.None, CultureInfo.InvariantCulture, out int bytes)
                ? bytes
                : null;
        }
        catch (Exception untold) when (untold is CommandFailedException or KafkaConnectionException)
        {
            // A broker that does not tell, or a topic that is too new: the leader says what is too large.
            return null;
        }
    }
}
