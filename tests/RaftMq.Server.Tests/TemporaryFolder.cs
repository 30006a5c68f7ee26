namespace RaftMq.Server.Tests;

/// <summary>A folder of one test; kept when the test fails, so that it can be looked at.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("raftmq-server-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        if (TestContext.Current.TestState?.Result != TestResult.Failed)
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
