using System.Text.Json;
using RaftMq.Simulation;

namespace RaftMq.Cli.Campaigns;

/// <summary>
/// Many runs of the simulator at one commit, one seed after the other, and how far they are: what stands in the file of <c>raftmq sim --resume</c>.
/// </summary>
/// <param name="Commit">All runs are of this one: what ran before a change says nothing of the code behind it.</param>
/// <param name="SecondsEach">Virtual seconds of a run.</param>
/// <param name="FirstSeed">The seeds are this one and those that follow it.</param>
/// <param name="Finished">Runs that ended, without a gap from the first seed on.</param>
/// <param name="Acks">Of sends, in these runs.</param>
/// <param name="CpuSeconds">Of the whole process, while it ran; what was under way when it was killed is not in it.</param>
/// <param name="Failures">What each failing run said, its replay line first.</param>
internal sealed record Campaign(
    string Commit, int SecondsEach, ulong FirstSeed, long Finished, long Acks, double CpuSeconds, double RealSeconds, IReadOnlyList<string> Failures)
{
    private const int FileBytesMax = 64 << 20;

    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    public double VirtualHours => Finished * (SecondsEach / 3_600.0);

    public static Campaign Begin(int secondsEach, ulong firstSeed, string commit) => new(commit, secondsEach, firstSeed, 0, 0, 0, 0, []);

    /// <summary>Null when there is no such file yet.</summary>
    /// <exception cref="CommandFailedException">It can't be read, or is not of this command.</exception>
    public static Campaign? Read(string path)
    {
        try
        {
            if (!File.Exists(path))
            {
                return null;
            }

            Campaign? read = new FileInfo(path).Length <= FileBytesMax ? JsonSerializer.Deserialize<Campaign>(File.ReadAllBytes(path), Format) : null;
            return read is { Finished: >= 0, SecondsEach: > 0 } ? read : throw NotOurs(path, null);
        }
        catch (JsonException wrong)
        {
            throw NotOurs(path, wrong);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"The file {path} can't be read: {wrong.Message}", wrong);
        }
    }

    /// <summary>At any instant the file is there as it was before or as it is now.</summary>
    /// <exception cref="CommandFailedException">It can't be written.</exception>
    public void Write(string path)
    {
        string written = path + ".new";
        try
        {
            File.WriteAllBytes(written, JsonSerializer.SerializeToUtf8Bytes(this, Format));
            File.Move(written, path, overwrite: true);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"The file {path} can't be written: {wrong.Message}", wrong);
        }
    }

    public Campaign With(SimulationResult result) => this with
    {
        Finished = Finished + 1,
        Acks = Acks + result.Totals.Acks,
        Failures = Failed(result) is { } failure ? [.. Failures, failure] : Failures,
    };

    /// <summary>A run in which nothing was acknowledged shows nothing, so that too is a failure.</summary>
    private static string? Failed(SimulationResult result) =>
        result.Violation is not null ? result.ToString()
        : result.Totals.Acks == 0 ? $"{result.ReplayLine}\n  not one record was acknowledged"
        : null;

    private static CommandFailedException NotOurs(string path, Exception? wrong)
    {
        string sentence = $"{path} is no file of raftmq sim --resume; give the name of one that is not there yet to begin.";
        return wrong is null ? new CommandFailedException(sentence) : new CommandFailedException(sentence, wrong);
    }
}
