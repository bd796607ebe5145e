"""Pictures of cameras leave a robot at a pace: one every ten seconds a camera, of few cameras."""

from croody_edge.pictures import Pace


def test_each_camera_sends_a_picture_every_ten_seconds():
    pace = Pace()
    assert [pace.may("front", at_s) for at_s in (0.0, 5.0, 9.9, 10.0, 19.0, 20.0)] == [True, False, False, True, False, True]
    assert pace.may("rear", 5.0)


def test_a_robot_has_so_many_cameras_and_no_more():
    pace = Pace()
    assert all(pace.may(f"camera-{number}", 0.0) for number in range(Pace.MOST_CAMERAS))
    assert not pace.may("one-more", 100.0)
    assert pace.may("camera-0", 100.0)
