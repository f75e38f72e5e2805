import { describe, expect, test } from "bun:test";
import {
  isOnMacDisk,
  macEntry,
  mountinfoEntry,
  ofLinux,
  ofMac,
  ofWindows,
} from "../../../src/store/sqlite/mount";

/** Lines of real machines. */
const MOUNTINFO = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard,resv_strict,resuid=65534,resgid=65534
25 24 0:23 / /dev/shm rw,relatime - tmpfs tmpfs rw,size=24684096k
42 27 0:39 / /tmp/mnt rw,nosuid,nodev,relatime - fuse.sshfs host:/folder rw,user_id=0,group_id=0
43 27 0:40 / /srv/a\\040-\\040b rw,relatime shared:33 - nfs4 nas:/pippa rw,vers=4.2,rsize=1048576,namlen=255,hard,proto=tcp,timeo=600,retrans=2,sec=sys,clientaddr=10.0.0.2,local_lock=none,addr=10.0.0.1
44 27 0:41 / /srv/three rw,relatime shared:34 - nfs nas:/pippa rw,vers=3,rsize=65536,hard,proto=tcp,mountvers=3,local_lock=none,addr=10.0.0.1
45 27 0:42 / /srv/nolock rw,relatime shared:35 - nfs nas:/pippa rw,vers=3,hard,nolock,proto=tcp,local_lock=all,addr=10.0.0.1
46 27 0:43 / /srv/posix rw,relatime shared:36 - nfs nas:/pippa rw,vers=3,hard,proto=tcp,local_lock=posix,addr=10.0.0.1
47 27 0:44 / /srv/smb rw,relatime shared:37 - cifs //nas/pippa rw,vers=3.1.1,cache=strict,username=me,uid=0,gid=0,addr=10.0.0.1,file_mode=0755,soft,nounix,serverino,mapposix
48 27 0:45 / /srv/nobrl rw,relatime shared:38 - cifs //nas/pippa rw,vers=3.1.1,cache=strict,username=me,nobrl,soft
49 27 0:46 / /host rw,relatime - 9p drvfs rw,dirsync,aname=drvfs,mmap,access=client,msize=65536,trans=fd
50 27 0:47 / /shared rw,relatime - virtiofs mount0 rw
51 27 0:48 /@home /home rw,relatime shared:39 - btrfs /dev/mapper/luks rw,ssd,space_cache=v2,subvolid=257,subvol=/@home
52 27 0:49 / /tank rw,xattr - zfs tank/home rw,xattr,posixacl
53 27 259:2 / /data rw,relatime shared:40 - xfs /dev/nvme0n1p2 rw,attr2,inode64,noquota
54 27 0:50 / / rw,relatime - overlay overlay rw,lowerdir=/a:/b,upperdir=/c,workdir=/d
55 27 8:17 / /media/stick rw,nosuid,nodev,relatime - fuseblk /dev/sdb1 rw,user_id=0,group_id=0,allow_other,blksize=4096
56 27 0:51 / /cloud rw,nosuid,nodev,relatime - fuse.rclone drive: rw,user_id=0,group_id=0
57 27 0:52 / /fuse rw,nosuid,nodev,relatime - fuse /dev/fuse rw,user_id=1000,group_id=1000
58 27 8:33 / /cluster rw,relatime - gfs2 /dev/sdc1 rw
59 27 0:53 / /ceph rw,relatime - ceph 10.0.0.1:6789:/ rw,name=admin,secret=<hidden>,acl`;

describe("what Linux says of a folder's mount", () => {
  test.each([
    ["27", "local", "ext4"],
    ["25", "local", "tmpfs"],
    ["51", "local", "btrfs"],
    ["52", "local", "zfs"],
    ["53", "local", "xfs"],
    ["54", "local", "overlay"],
    ["55", "local", "fuseblk"],
    ["43", "network", "nfs4"],
    ["44", "network", "nfs"],
    ["47", "network", "cifs"],
    ["45", "refused", "nfs (nolock)"],
    ["46", "refused", "nfs (local_lock=posix)"],
    ["48", "refused", "cifs (nobrl)"],
    ["42", "refused", "fuse.sshfs"],
    ["56", "refused", "fuse.rclone"],
    ["57", "refused", "fuse"],
    ["49", "refused", "9p"],
    ["50", "refused", "virtiofs"],
    ["58", "refused", "gfs2"],
    ["59", "refused", "ceph"],
  ] as const)("mount %s is %s: %s", (id, kind, type) => {
    expect(ofLinux(mountinfoEntry(MOUNTINFO, id))).toEqual({ kind, type });
  });

  test("a mount that is not listed is unknown", () => {
    expect(ofLinux(mountinfoEntry(MOUNTINFO, "5")).kind).toBe("unknown");
    expect(ofLinux(mountinfoEntry("", "5")).kind).toBe("unknown");
  });
});

const MAC = `/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
devfs on /dev (devfs, local, nobrowse)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse, protect, root data)
map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)
nas.local:/volume1/pippa on /Volumes/pippa (nfs, nodev, nosuid, mounted by me)
//me@nas.local/pippa on /Volumes/a (b), c (smbfs, nodev, nosuid, mounted by me)
host:/folder on /Volumes/ssh (macfuse, nodev, nosuid, synchronous, mounted by me)
drive on /Volumes/drive (macfuse, local, nodev, nosuid, synchronous, mounted by me)
https://cloud.example/dav/ on /Volumes/dav (webdav, nodev, noexec, nosuid, mounted by me)
`;

describe("what macOS says of a folder's mount", () => {
  test.each([
    ["/Users/me/pippa-db", "local", "apfs"],
    ["/", "local", "apfs"],
    ["/System/Volumes/Data/Users/me", "local", "apfs"],
    ["/Volumes/pippa", "network", "nfs"],
    ["/Volumes/pippa/pippa-db", "network", "nfs"],
    ["/Volumes/pippa-too", "local", "apfs"],
    ["/Volumes/a (b), c/x", "network", "smbfs"],
    ["/Volumes/ssh/x", "refused", "macfuse"],
    ["/Volumes/drive", "refused", "macfuse"],
    ["/Volumes/dav", "refused", "webdav"],
  ] as const)("%s is %s: %s", (folder, kind, type) => {
    expect(ofMac(macEntry(MAC, folder))).toEqual({ kind, type });
  });

  test("a file on a disk is known by its device", () => {
    for (const dev of [0x01000004, 0x01000011]) expect(isOnMacDisk({ dev })).toBe(true);
    for (const dev of [0x10000001, 0x1a000003, 0x2e00000a, -0x10000000])
      expect(isOnMacDisk({ dev })).toBe(false);
  });

  test("nothing listed is unknown", () => {
    expect(ofMac(macEntry("", "/Users/me")).kind).toBe("unknown");
  });
});

describe("what Windows says of a folder's drive", () => {
  test.each([
    ["C:\\Users\\me\\pippa-db", 3, "local"],
    ["D:\\pippa-db", 2, "local"],
    ["R:\\", 6, "local"],
    ["Z:\\pippa-db", 4, "network"],
    ["\\\\nas\\pippa\\pippa-db", 1, "network"],
    ["\\\\?\\UNC\\nas\\pippa", 1, "network"],
    ["\\\\?\\C:\\Users", 3, "local"],
    ["\\\\wsl$\\Debian\\home\\me", 1, "refused"],
    ["\\\\wsl.localhost\\Debian\\home\\me", 1, "refused"],
    ["Q:\\", 1, "unknown"],
    ["Q:\\", 0, "unknown"],
  ] as const)("%s, a drive of type %d, is %s", (folder, drive, kind) => {
    expect(ofWindows(folder, drive).kind).toBe(kind);
  });
});
