using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Files;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// A node's disk, watched: after each sync it reads what the medium would now keep of the ranges written since the last one, and tells
/// the history every mark it finds there. It knows nothing of journals or segments; bytes are bytes.
/// </summary>
internal sealed class WatchedDisk(SimulatedDisk disk, NodeId node, History history) : IDisk
{
    public bool FileExists(string path) => disk.FileExists(path);

    public bool FolderExists(string path) => disk.FolderExists(path);

    public IReadOnlyList<string> List(string folder) => disk.List(folder);

    public void CreateFolder(string path) => disk.CreateFolder(path);

    public IDiskFile Open(string path, DiskFileMode mode) =>
        new WatchedFile((SimulatedFile)disk.Open(path, mode), node, history);

    public void DeleteFile(string path) => disk.DeleteFile(path);

    public void DeleteFolder(string path) => disk.DeleteFolder(path);

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void SyncFolder(string path) => disk.SyncFolder(path);
}
