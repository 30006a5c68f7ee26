using System.CommandLine;
using RaftMq.Cli.Bench;

namespace RaftMq.Cli.Commands;

/// <summary>The options of the load, the same for all measurements.</summary>
internal sealed class BenchOptions
{
    private readonly Option<string> bootstrap = CommonOptions.Bootstrap();
    private readonly Option<string?> topic = new("--topic") { Description = "An existing or new topic, kept; without: one of its own, deleted at the end." };
    private readonly Option<int> partitions = new("--partitions") { Description = "Partitions of a new topic.", DefaultValueFactory = _ => 1 };
    private readonly Option<short> replicas = new("--replicas") { Description = "Replicas of a new topic; -1: the cluster's default.", DefaultValueFactory = _ => -1 };
    private readonly Option<int> producers = new("--producers") { Description = "Producers, each with connections of its own.", DefaultValueFactory = _ => 1 };
    private readonly Option<int> recordBytes = new("--record-bytes") { Description = "Bytes of a record's value.", DefaultValueFactory = _ => 1024 };
    private readonly Option<int> batchBytes = new("--batch-bytes") { Description = "Largest batch; what is there is sent at once.", DefaultValueFactory = _ => 16 * 1024 };
    private readonly Option<int> window = new("--window") { Description = "Records sent and not acknowledged, over all producers.", DefaultValueFactory = _ => 10_000 };
    private readonly Option<int> inFlight = new("--requests-in-flight") { Description = "Requests per connection without answer.", DefaultValueFactory = _ => 5 };
    private readonly Option<string> acks = new("--acks") { Description = "all, 1 or 0.", DefaultValueFactory = _ => "all" };
    private readonly Option<double> rate = new("--rate") { Description = "Records a second, open loop: latency counts from the time meant. 0: as fast as the window lets." };
    private readonly Option<double> seconds = new("--seconds") { Description = "Time that is measured.", DefaultValueFactory = _ => 10 };
    private readonly Option<double> warmup = new("--warmup-seconds") { Description = "Time before it, not measured but checked.", DefaultValueFactory = _ => 2 };
    private readonly Option<long?> records = new("--records") { Description = "End after so many records, if before the time." };
    private readonly Option<string> idempotence = new("--idempotence") { Description = "on or off; on needs acks all.", DefaultValueFactory = _ => "on" };
    private readonly Option<double> requestTimeout = new("--request-timeout-seconds") { Description = "A broker silent for so long is given up.", DefaultValueFactory = _ => 5 };
    private readonly Option<bool> gap = new("--measure-gap") { Description = "Show the longest time without an acknowledgement, for kills during the run." };
    private readonly Option<bool> noVerify = new("--no-verify") { Description = "Do not read the log again; offsets are still counted." };
    private readonly Option<string?> admin = new("--admin") { Description = "HTTP addresses of RaftMq nodes, of which fdatasync and bytes are shown; without, each node is asked for its own." };
    private readonly Option<bool> json = CommonOptions.JsonOutput();

    public BenchOptions()
    {
        acks.AcceptOnlyFromAmong("all", "-1", "1", "0");
        idempotence.AcceptOnlyFromAmong("on", "off");
        CommonOptions.Between(partitions, 1, 10_000);
        CommonOptions.Between(producers, 1, 1000);
        CommonOptions.Between(recordBytes, BenchPayload.BytesMin, 16 << 20);
        CommonOptions.Between(batchBytes, 100, 64 << 20);
        CommonOptions.Between(window, 1, 10_000_000);
        CommonOptions.Between(inFlight, 1, 1000);
    }

    public IReadOnlyList<Option> All =>
    [
        bootstrap, topic, partitions, replicas, producers, recordBytes, batchBytes, window, inFlight, acks, rate, seconds, warmup, records, idempotence,
        requestTimeout, gap, noVerify, admin, json,
    ];

    public bool Json(ParseResult parsed) => parsed.GetValue(json);

    public string? Admin(ParseResult parsed) => parsed.GetValue(admin);

    /// <exception cref="CommandFailedException">Options contradict each other.</exception>
    public BenchSettings Read(ParseResult parsed)
    {
        short wanted = parsed.GetValue(acks) switch { "0" => 0, "1" => 1, _ => -1 };
        bool idempotent = parsed.GetValue(idempotence) == "on";
        if (idempotent && wanted != -1)
        {
            if (parsed.GetResult(idempotence) is { Implicit: false })
            {
                throw new CommandFailedException(ExitCodes.Usage, "--idempotence on needs --acks all.");
            }

            idempotent = false;
        }

        if (idempotent && parsed.GetValue(inFlight) > 5)
        {
            throw new CommandFailedException(ExitCodes.Usage, "Brokers remember five batches of an idempotent producer: --requests-in-flight is at most 5, or --idempotence off.");
        }

        return new BenchSettings
        {
            Bootstrap = CommonOptions.Endpoints(parsed.GetValue(bootstrap)!),
            Topic = parsed.GetValue(topic),
            Partitions = parsed.GetValue(partitions),
            Replicas = parsed.GetValue(replicas),
            Producers = parsed.GetValue(producers),
            RecordBytes = parsed.GetValue(recordBytes),
            BatchBytes = parsed.GetValue(batchBytes),
            Window = parsed.GetValue(window),
            RequestsInFlight = parsed.GetValue(inFlight),
            Acks = wanted,
            Idempotence = idempotent,
            Rate = parsed.GetValue(rate),
            Warmup = TimeSpan.FromSeconds(parsed.GetValue(warmup)),
            Duration = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
            Records = parsed.GetValue(records),
            RequestTimeout = TimeSpan.FromSeconds(parsed.GetValue(requestTimeout)),
            MeasureGap = parsed.GetValue(gap),
            Verify = !parsed.GetValue(noVerify),
        };
    }
}
